"""What keeps the assistant from hearing itself."""

SENTENCES: dict[str, str] = {
    "echo cancellation cannot run here ({error}): install the package livekit, or choose another way: client.echo": (
        "l'annulation d'écho ne peut pas fonctionner ici ({error}) : installe le paquet livekit, "
        "ou choisis un autre moyen : client.echo"
    ),
    "echo cancellation cannot run here ({error}): nothing is heard while the assistant speaks; "
    "with headphones, set client.echo to off": (
        "l'annulation d'écho ne peut pas fonctionner ici ({error}) : rien n'est entendu pendant que l'assistant "
        "parle ; avec un casque, mets client.echo à off"
    ),
}
