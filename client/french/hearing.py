"""When the assistant hears, and wake words."""

SENTENCES: dict[str, str] = {
    "there is no wake word {name!r}; there is: {there_is}": (
        "le mot d'éveil {name!r} n'existe pas ; il y a : {there_is}"
    ),
    "no wake word can be heard here ({error}): install the extra `client`, where pymicro-wakeword has a package "
    "for this machine; or listen otherwise: client.listen, continuous or push-to-talk": "aucun mot d'éveil ne peut "
    "être entendu ici ({error}) : installe l'extra `client`, si pymicro-wakeword a un paquet pour cette machine ; "
    "ou écoute autrement : client.listen, continuous ou push-to-talk",
}
