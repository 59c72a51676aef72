"""`superwhisper status`."""

SENTENCES: dict[str, str] = {
    # Its help.
    "Tell which of the four services serve. Exit code 0 if all of them do.": (
        "Dit lesquels des quatre services sont en service. Code de sortie 0 s'ils le sont tous."
    ),
    "Wait so long until all serve.": "Attend que tous soient en service, ce temps-là au plus.",
    # What it tells.
    "SERVING": "en service",
    "NOT_SERVING": "pas encore prêt",
    "no answer": "pas de réponse",
    "another service answers there": "c'est un autre service qui répond là",
    "wants a token": "demande un jeton",
}
