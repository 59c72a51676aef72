"""What goes wrong with services and files, whichever the command."""

SENTENCES: dict[str, str] = {
    "error: {problem}": "erreur : {problem}",
    # Services. Their names never stand behind "à" or "de", which would melt with the article.
    "the assistant": "l'assistant",
    "the speech recognition (stt)": "la reconnaissance vocale (stt)",
    "the language model (llm)": "le modèle de langue (llm)",
    "the speech synthesis (tts)": "la synthèse vocale (tts)",
    "{service} at {address}: {message}": "{service} ({address}) : {message}",
    "{service} does not answer at {address}: is it running? {mend}": (
        "{service} ne répond pas à l'adresse {address} : est-ce que ce service tourne ? {mend}"
    ),
    "start it with `make run`": "lance-le avec `make run`",
    "check the address, and the TLS settings of the client": "vérifie l'adresse et les réglages TLS du client",
    "the connection to {service} at {address} was lost; {look}": (
        "la connexion avec {service} ({address}) est perdue ; {look}"
    ),
    "`superwhisper status` tells whether it is back": "`superwhisper status` dit si le service est revenu",
    "is the network up?": "le réseau fonctionne-t-il ?",
    "{service} at {address} wants a token: name its file in credentials.token_file of the client's settings": (
        "{service} ({address}) demande un jeton : "
        "indique son fichier sous credentials.token_file dans les réglages du client"
    ),
    "what listens at {address} is not {service}: check the address": (
        "ce qui écoute à l'adresse {address} n'est pas {service} : vérifie l'adresse"
    ),
    "{service} at {address} took too long; try again, or allow more with client.request_limit_s": (
        "{service} ({address}) a mis trop de temps ; réessaie, ou accorde plus de temps avec client.request_limit_s"
    ),
    # Files.
    "{path} cannot be read: {reason}": "lecture impossible de {path} : {reason}",
    "{path} cannot be read: it is not a file": "lecture impossible de {path} : ce n'est pas un fichier",
    "{path} cannot be written: {reason}": "écriture impossible dans {path} : {reason}",
    "{path} is there already: give another --out, or --force to replace it": (
        "{path} existe déjà : donne un autre --out, ou --force pour le remplacer"
    ),
    "{path} is full: a WAV file holds 4 GiB; write the rest into another one": (
        "{path} est plein : un fichier WAV contient 4 Gio au plus ; écris la suite dans un autre"
    ),
    "{path} holds no audio": "{path} ne contient aucun son",
    "{problem}; what can be spoken is a PCM WAV file of 8 to 48 kHz": (
        "{problem} ; il faut un fichier WAV en PCM, de 8 à 48 kHz"
    ),
    "{path} ({duration_s:.1f} s)": "{path} ({duration_s:.1f} s)",
    # The system's own reasons.
    "No such file or directory": "ce fichier ou ce dossier n'existe pas",
    "Permission denied": "l'accès est refusé",
    "Operation not permitted": "l'opération n'est pas permise",
    "Is a directory": "c'est un dossier",
    "Not a directory": "ce n'est pas un dossier",
    "No space left on device": "le disque est plein",
    "Read-only file system": "le système de fichiers est en lecture seule",
    "File name too long": "le nom du fichier est trop long",
    "Input/output error": "le disque signale une erreur d'entrée-sortie",
}
