"""`superwhisper` itself: what is said before the command's name, and what its `--help` shows."""

SENTENCES: dict[str, str] = {
    "A voice assistant that runs entirely on its owner's machine: talk with it, or use its parts alone.": (
        "Un assistant vocal qui tourne entièrement sur la machine de son propriétaire : parle avec lui, "
        "ou sers-toi de ses parties seules."
    ),
    "Where the services are is said in the section `client` of the settings.": (
        "La section `client` des réglages dit où se trouvent les services."
    ),
    "Variables such as SUPERWHISPER_CLIENT__ASSISTANT__ADDRESS win over it, and --address of a command over both.": (
        "Les variables telles que SUPERWHISPER_CLIENT__ASSISTANT__ADDRESS l'emportent sur elle, "
        "et le --address d'une commande sur les deux."
    ),
    "A YAML file with settings of your own.": "Un fichier YAML avec tes propres réglages.",
    "Connect by TLS to services whose certificate this CA has signed (PEM).": (
        "Se connecte par TLS aux services dont cette autorité a signé le certificat (PEM)."
    ),
    "The file with the token that the services ask for.": "Le fichier du jeton que demandent les services.",
    "Language of this program, if not the terminal's.": "La langue de ce programme, si ce n'est pas celle du terminal.",
    "Tell the version.": "Dit la version.",
    "Show this message and exit.": "Affiche cette aide.",
    "Install completion for the current shell.": "Installe la complétion pour ce shell.",
    "Show completion for the current shell, to copy it or customize the installation.": (
        "Affiche la complétion de ce shell, pour la copier ou l'adapter."
    ),
    "Commands": "Commandes",
    "this should not happen: {error!r}; PYTHONDEVMODE=1 shows where": (
        "cela ne devrait pas arriver : {error!r} ; PYTHONDEVMODE=1 montre où"
    ),
}
