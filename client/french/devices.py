"""Microphones and loudspeakers: `superwhisper devices`, and what happens to them in a conversation."""

SENTENCES: dict[str, str] = {
    # client/audio
    "there is no microphone {name}; `superwhisper devices` shows what there is": (
        "il n'y a pas de microphone {name} ; `superwhisper devices` montre ceux qu'il y a"
    ),
    "there is no loudspeaker {name}; `superwhisper devices` shows what there is": (
        "il n'y a pas de haut-parleur {name} ; `superwhisper devices` montre ceux qu'il y a"
    ),
    "the microphone {name} cannot be used ({why}); name another: client.microphone": (
        "le microphone {name} est inutilisable ({why}) ; choisis-en un autre : client.microphone"
    ),
    "the loudspeaker {name} cannot be used ({why}); name another: client.loudspeaker": (
        "le haut-parleur {name} est inutilisable ({why}) ; choisis-en un autre : client.loudspeaker"
    ),
    "the sound library does not start again ({reason})": "la bibliothèque de son ne redémarre pas ({reason})",
    "the sound system does not answer: start it anew, and then this": (
        "le système de son ne répond pas : redémarre-le, puis relance cette commande"
    ),
    # devices
    "List microphones and loudspeakers, or test those that are used.": (
        "Montre les microphones et les haut-parleurs, ou essaie ceux qui servent."
    ),
    "Used are those that client.microphone and client.loudspeaker name, or else the machine's default.": (
        "Servent ceux que nomment client.microphone et client.loudspeaker, ou à défaut ceux de la machine."
    ),
    "Exit code 0 if there is a device, or if the test went well.": (
        "Code de sortie 0 s'il y a un appareil, ou si l'essai a réussi."
    ),
    "Record three seconds, judge them and play them.": "Enregistre trois secondes, les juge et les fait entendre.",
    "A name, a part of it or a number, if not as set.": (
        "Un nom, une partie d'un nom ou un numéro, si ce n'est pas ce que disent les réglages."
    ),
    'the sound library is missing: install the extra "client" (pip install "superwhisper[client]"), '
    "and on Linux PortAudio (Debian, Ubuntu: apt install libportaudio2)": (
        "la bibliothèque de son manque : installe l'extra `client` (`pip install superwhisper[client]`) "
        "et, sous Linux, PortAudio (Debian, Ubuntu : `apt install libportaudio2`)"
    ),
    "this machine shows neither microphone nor loudspeaker: plug one in, and allow its use "
    "(on Linux, a sound server must run: PipeWire or PulseAudio); `superwhisper doctor` tells more": (
        "cette machine ne montre ni microphone ni haut-parleur : branches-en un et autorise son usage (sous Linux, "
        "un serveur de son doit tourner : PipeWire ou PulseAudio) ; `superwhisper doctor` en dit plus"
    ),
    "Microphones": "Microphones",
    "Loudspeakers": "Haut-parleurs",
    "none is used": "aucun ne sert",
    "default": "par défaut",
    "used": "utilisé",
    # devices --test
    "speak now": "parle maintenant",
    "there is no microphone to test; `superwhisper devices` shows what there is": (
        "il n'y a pas de microphone à essayer ; `superwhisper devices` montre ce qu'il y a"
    ),
    "the microphone {name} gives nothing: does another program use it?": (
        "le microphone {name} ne donne rien : un autre programme s'en sert-il ?"
    ),
    "the loudspeaker {name} takes nothing: does another program use it?": (
        "le haut-parleur {name} ne prend rien : un autre programme s'en sert-il ?"
    ),
    "{name}: peak {peak:.0f} dBFS, mean {mean:.0f} dBFS": "{name} : crête {peak:.0f} dBFS, moyenne {mean:.0f} dBFS",
    "there is no loudspeaker to play it on": "il n'y a pas de haut-parleur pour le faire entendre",
    "this is how it sounds on {name}": "voici ce que cela donne sur {name}",
    "the microphone hears you well": "le microphone t'entend bien",
    "there was only silence: the microphone is muted, it is the wrong one (client.microphone), "
    "or this program may not use it (allow the terminal the microphone in the system's settings)": (
        "rien que du silence : le microphone est coupé, ce n'est pas le bon (client.microphone), ou ce programme "
        "n'y a pas droit (autorise le microphone au terminal dans les réglages du système)"
    ),
    "it was very quiet: speak up, come closer, or turn the microphone up in the system's settings": (
        "c'était très faible : parle plus fort, approche-toi, ou monte le microphone dans les réglages du système"
    ),
    "it was cut off, for it was too loud: turn the microphone down, or move away from it": (
        "le son était trop fort et saturait : baisse le microphone, ou éloigne-t'en"
    ),
}
