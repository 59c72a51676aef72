"""`superwhisper talk`."""

SENTENCES: dict[str, str] = {
    # Its help.
    "Talk with the assistant.": "Converse avec l'assistant.",
    "With a microphone: speak, or type, until Ctrl-C. Speak into a reply to interrupt it.": (
        "Avec un microphone : parle, ou écris, jusqu'à Ctrl-C. Parle pendant une réponse pour l'interrompre."
    ),
    "With --wav: one recording and its reply. With neither: a recorded question, then each line that you type.": (
        "Avec --wav : un enregistrement et sa réponse. Sans l'un ni l'autre : une question enregistrée, puis chaque "
        "ligne que tu tapes."
    ),
    "Where there is no loudspeaker, the reply audio goes to a new file, reply.wav.": (
        "Là où il n'y a pas de haut-parleur, le son de la réponse va dans un nouveau fichier, reply.wav."
    ),
    "Speak this WAV file instead.": "Dit ce fichier WAV à la place.",
    "Write the reply audio to this WAV file.": "Écrit le son des réponses dans ce fichier WAV.",
    "Keep the conversation there, as audio and as text.": "Y garde la conversation, en son et en texte.",
    "When it hears you, if not as set.": "Quand il t'entend, si ce n'est pas comme le disent les réglages.",
    "What keeps it from hearing itself, if not as set.": (
        "Ce qui l'empêche de s'entendre lui-même, si ce n'est pas comme le disent les réglages."
    ),
    "Plain lines instead of the full screen.": "De simples lignes à la place du plein écran.",
    "Instructions to the assistant.": "Consignes données à l'assistant.",
    # What it tells.
    "no microphone here: a recorded question is spoken, then each line that you type (Ctrl-D ends)": (
        "pas de microphone ici : une question enregistrée est dite, puis chaque ligne que tu tapes (Ctrl-D pour finir)"
    ),
    "nothing was understood of the recording within {seconds:g} s after its end": (
        "rien n'a été compris de l'enregistrement dans les {seconds:g} s après sa fin"
    ),
    "the reply audio is not kept: {path}: {reason}": "le son de la réponse n'est pas conservé : {path} : {reason}",
    "the key for talking is the line {command}": "la touche pour parler est la ligne {command}",
    "this conversation is recorded: {folder}": "cette conversation est enregistrée : {folder}",
    "not sent: {text}": "non envoyé : {text}",
    "not sent: there is nothing to read in it": "non envoyé : il n'y a rien à y lire",
    "not sent: longer than {limit} characters": "non envoyé : plus de {limit} caractères",
    "the loudspeaker is gone: plug it in again and start anew": (
        "le haut-parleur a disparu : rebranche-le et relance la commande"
    ),
    "not a JSON object: {error}": "ce n'est pas un objet JSON : {error}",
    "not a command: {line}; there are: {commands}": "ce n'est pas une commande : {line} ; il y a : {commands}",
    "not answered: the connection was lost; type it again": (
        "resté sans réponse : la connexion est perdue ; tape-le encore une fois"
    ),
    "a typed line was lost with the connection": "une ligne tapée s'est perdue avec la connexion",
    "the connection was lost, and the end of a reply with it": (
        "la connexion s'est perdue, et la fin d'une réponse avec elle"
    ),
    "the assistant ended the conversation; start anew to go on": (
        "l'assistant a mis fin à la conversation ; relance la commande pour continuer"
    ),
    "{path} is a device or a pipe; name a file": "{path} est un périphérique ou un tube ; nomme un fichier",
    "a turn failed ({why})": "un tour a échoué ({why})",
    "the assistant did not say why": "l'assistant n'a pas dit pourquoi",
    "{service} was restarted and has forgotten this conversation; start anew": (
        "{service} a redémarré et a oublié cette conversation ; recommence"
    ),
    "the connection to {service} at {address} was lost, and it does not remember the conversation; "
    "start anew to go on": (
        "la connexion avec {service} ({address}) est perdue, et la conversation est oubliée ; "
        "relance la commande pour continuer"
    ),
}
