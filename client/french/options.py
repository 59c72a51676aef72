"""Options that several commands have."""

SENTENCES: dict[str, str] = {
    "Examples:": "Exemples :",
    "Where the service is, if not as set.": "Où se trouve le service, si ce n'est pas là où le disent les réglages.",
    "Such as en, fr or fr-FR.": "Par exemple en, fr ou fr-FR.",
    "A voice by name, such as fr or en-us+f2.": "Le nom d'une voix, par exemple fr ou en-us+f2.",
    "For programs.": "Pour les programmes.",
}
