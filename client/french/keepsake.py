"""`--record`: a conversation that is kept."""

SENTENCES: dict[str, str] = {
    "the conversation cannot be kept in {folder}: {reason}": (
        "la conversation ne peut pas être conservée dans {folder} : {reason}"
    ),
    "{folder} is on a disk that is too slow to record to": (
        "{folder} se trouve sur un disque trop lent pour y enregistrer"
    ),
}
