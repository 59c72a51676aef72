"""`superwhisper say`."""

SENTENCES: dict[str, str] = {
    # Its help.
    "Say a text.": "Dit un texte.",
    "What to say, behind -- if it begins with a dash; - reads stdin, and speaks while it still comes.": (
        "Le texte à dire, derrière -- s'il commence par un tiret ; "
        "- le lit sur l'entrée standard, et parle pendant qu'il arrive encore."
    ),
    "Say what this file holds, of any length; UTF-8 or UTF-16.": (
        "Dit ce que contient ce fichier, de n'importe quelle longueur, en UTF-8 ou en UTF-16."
    ),
    "Write a .wav, .flac, .ogg, .opus or .raw file; else the loudspeaker.": (
        "Écrit un fichier .wav, .flac, .ogg, .opus ou .raw ; sinon, c'est le haut-parleur qui parle."
    ),
    "The text is SSML.": "Le texte est en SSML.",
    "A speaker of a voice that has several.": "Un locuteur, pour une voix qui en a plusieurs.",
    "1 is the voice's own.": "1 est la valeur propre à la voix.",
    "Variation of the sound.": "Variation du timbre.",
    "Variation of the rhythm.": "Variation du rythme.",
    "Samples a second; else the voice's.": "Échantillons par seconde ; sinon, ceux de la voix.",
    "List the voices, of one language with --language.": (
        "Donne la liste des voix, ou celles d'une langue avec --language."
    ),
    # What it tells.
    "say what: give a TEXT, - for stdin, --file FILE, or --voices for a list of voices": (
        "que faut-il dire ? Donne un TEXT, - pour l'entrée standard, --file FILE, ou --voices pour la liste des voix"
    ),
    "there is nothing to say": "il n'y a rien à dire",
    "there was nothing to say": "il n'y avait rien à dire",
    "nobody has a voice": "il n'y a aucune voix",
    "nobody has a voice that speaks {language!r}": "aucune voix ne parle « {language} »",
    "name": "nom",
    "languages": "langues",
    "engine": "moteur",
    "rate": "fréquence",
    "speakers": "locuteurs",
    "characters": "caractères",
    "{spoken} characters": "{spoken} caractères",
    "{spoken} of {total} characters": "{spoken} caractères sur {total}",
    "stopped after {course}; {path} holds what was spoken until then": (
        "arrêt après {course} ; {path} contient ce qui a été dit jusque-là"
    ),
    "you heard tones in place of words": "tu as entendu des bips à la place des mots",
    "in {path} there are tones in place of words": "dans {path}, il y a des bips à la place des mots",
    "`superwhisper say --voices` tells who speaks what": "`superwhisper say --voices` dit quelle voix parle quoi",
    "nobody speaks {language!r}: {told}; {look}": "aucune voix ne parle « {language} » : {told} ; {look}",
    "{told}, for no voice could say them; the log of the speech synthesis tells why": (
        "{told}, car aucune voix n'a pu les dire ; le journal de la synthèse vocale dit pourquoi"
    ),
    "these are {characters} characters, and one request takes {most}": (
        "le texte fait {characters} caractères, et une requête en prend {most} au plus"
    ),
    "{told}: SSML cannot be cut, so make several documents of it": (
        "{told} : le SSML ne se coupe pas, fais-en donc plusieurs documents"
    ),
    "{told}: only .wav and .raw files are put together of several, so give --out one of those": (
        "{told} : seuls les fichiers .wav et .raw se composent de plusieurs, donnes-en donc un à --out"
    ),
    "{problem}; --file says texts of any length": "{problem} ; --file dit des textes de n'importe quelle longueur",
    # Files.
    "{path}: its ending names no kind of audio file; give it one of {endings}": (
        "{path} : cette extension n'est celle d'aucun fichier audio ; choisis-en une parmi {endings}"
    ),
    "there is no loudspeaker here: give --out FILE to write a WAV file": (
        "il n'y a pas de haut-parleur ici : donne --out FILE pour écrire un fichier WAV"
    ),
    "{path} is no plain text: character {place} is NUL; save it as UTF-8": (
        "{path} n'est pas du texte brut : le caractère {place} est NUL ; enregistre-le en UTF-8"
    ),
    "{path}: there is nothing to say in it": "{path} : il n'y a rien à dire là-dedans",
    "byte {place} is 0x{byte:02x}": "l'octet {place} vaut 0x{byte:02x}",
    "{path} is not UTF-16, although it begins so: {where}": (
        "{path} n'est pas en UTF-16, bien qu'il commence ainsi : {where}"
    ),
    "{path} is not UTF-8: {where}, in line {line}; convert it, such as with: iconv -f WINDOWS-1252 -t UTF-8 {path}": (
        "{path} n'est pas en UTF-8 : {where}, à la ligne {line} ; "
        "convertis-le, par exemple avec : iconv -f WINDOWS-1252 -t UTF-8 {path}"
    ),
}
