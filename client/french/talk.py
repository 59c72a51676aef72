"""`superwhisper talk`."""

SENTENCES: dict[str, str] = {
    # Its help.
    "Talk with the assistant.": "Converse avec l'assistant.",
    "With a microphone: until Ctrl-C. With --wav: one recording and its reply.": (
        "Avec un microphone : jusqu'à Ctrl-C. Avec --wav : un enregistrement et sa réponse."
    ),
    "With neither: a recorded question and its reply, then each line that you type.": (
        "Sans l'un ni l'autre : une question enregistrée et sa réponse, puis chaque ligne que tu tapes."
    ),
    "Where there is no loudspeaker, the reply audio goes to reply.wav.": (
        "Là où il n'y a pas de haut-parleur, le son de la réponse va dans reply.wav."
    ),
    "Speak this WAV file instead.": "Dit ce fichier WAV à la place.",
    "Write the reply audio to this WAV file.": "Écrit le son des réponses dans ce fichier WAV.",
    "Instructions to the assistant.": "Consignes données à l'assistant.",
    # What it tells.
    "listening on {microphone}; Ctrl-C ends": "à l'écoute sur {microphone} ; Ctrl-C pour finir",
    "no microphone here: a recorded question is spoken, then each line that you type (Ctrl-D ends)": (
        "pas de microphone ici : une question enregistrée est dite, puis chaque ligne que tu tapes (Ctrl-D pour finir)"
    ),
    "nothing was understood of the recording within {seconds:g} s after its end": (
        "rien n'a été compris de l'enregistrement dans les {seconds:g} s après sa fin"
    ),
    "not sent: {length} characters, the limit is {limit}": (
        "non envoyé : {length} caractères, alors que la limite est de {limit}"
    ),
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
