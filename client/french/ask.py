"""`superwhisper ask`."""

SENTENCES: dict[str, str] = {
    # Its help.
    "Ask the language model something, and read its reply as it is written.": (
        "Pose une question au modèle de langue et affiche sa réponse à mesure qu'elle s'écrit."
    ),
    "What to ask; - reads it from stdin.": "La question ; - la lit sur l'entrée standard.",
    "Instructions to the model.": "Consignes données au modèle.",
    "0: always the likeliest word.": "0 : toujours le mot le plus probable.",
    "Longest reply, in tokens.": "Longueur maximale de la réponse, en tokens.",
    "The same gives the same reply.": "La même valeur donne la même réponse.",
    "A JSON Schema: the reply is JSON that fulfils it.": "Un schéma JSON : la réponse est du JSON qui le respecte.",
    "A grammar in GBNF: the reply is what it allows.": "Une grammaire GBNF : la réponse est ce qu'elle permet.",
    "Tools that it may call, a JSON list of {name, description, parameters}.": (
        "Les outils que le modèle peut appeler : une liste JSON de {name, description, parameters}."
    ),
    "Have it call a tool, whatever it would say.": "L'oblige à appeler un outil, quoi qu'il ait à dire.",
    "Tell engine, tokens and times on stderr.": ("Donne le moteur, les tokens et les temps sur la sortie d'erreur."),
    # What it tells.
    "there is nothing to ask": "il n'y a rien à demander",
    "the reply was cut off after {tokens} tokens; --max-tokens says how many it may have": (
        "la réponse a été coupée (tokens écrits : {tokens}) ; --max-tokens dit combien elle peut en avoir"
    ),
    "{engine}: {tokens} tokens after {read} read, of which {known} were known; "
    "first after {first_ms:.0f} ms, all after {total_ms:.0f} ms": (
        "{engine} : tokens écrits : {tokens}, lus : {read}, dont déjà connus : {known} ; "
        "le premier après {first_ms:.0f} ms, le dernier après {total_ms:.0f} ms"
    ),
    # Files with the form of the reply, or with tools.
    " and ": " et ",
    "{options} ask for replies of different forms: give one of them": (
        "{options} demandent des réponses de formes différentes : n'en donne qu'une"
    ),
    "--must-call needs --tools FILE: what is there to call?": (
        "--must-call va avec --tools FILE : quel outil faut-il appeler ?"
    ),
    "{path} is no text in UTF-8": "{path} n'est pas du texte en UTF-8",
    "{path} is too long: more than {most} bytes": "{path} est trop long : plus de {most} octets",
    "{path} is empty": "{path} est vide",
    "{path} is no JSON: {reason} in line {line}, column {column}": (
        "{path} n'est pas du JSON : {reason}, ligne {line}, colonne {column}"
    ),
    "{path} is no JSON that can be read: {reason}": "{path} n'est pas du JSON lisible : {reason}",
    "{path} must be a list of tools: [{{name, description, parameters}}, …]": (
        "{path} doit être une liste d'outils : [{{name, description, parameters}}, …]"
    ),
    "{path}: tool {number}": "{path} : l'outil {number}",
    "{tool} must be an object: {{name, description, parameters}}": (
        "{tool} doit être un objet : {{name, description, parameters}}"
    ),
    "{tool} has no {key}": "{tool} n'a pas de champ {key}",
    "{tool}: its parameters must be a JSON Schema, an object": (
        "{tool} : ses paramètres doivent être un schéma JSON, donc un objet"
    ),
}
