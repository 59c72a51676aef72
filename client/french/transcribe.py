"""`superwhisper transcribe`."""

SENTENCES: dict[str, str] = {
    # Its help.
    "Write down what is said in recordings.": "Écrit ce qui est dit dans des enregistrements.",
    "Recordings: WAV, FLAC, OGG, MP3 or M4A.": "Des enregistrements : WAV, FLAC, OGG, MP3 ou M4A.",
    "How to write it; else as the ending of --out says.": (
        "Le format du texte ; sinon, celui que dit l'extension de --out."
    ),
    "Write a file, or one for each FILE into this folder; else stdout.": (
        "Écrit un fichier, ou un par FILE dans ce dossier ; sinon, sur la sortie standard."
    ),
    "Replace files that are there already.": "Remplace les fichiers qui existent déjà.",
    "Write it down in English.": "L'écrit en anglais.",
    "Times of single words: exact subtitles, more JSON.": (
        "Le temps de chaque mot : des sous-titres exacts, un JSON plus complet."
    ),
    "Text that came before, for spelling and style.": "Le texte qui précède, pour l'orthographe et le style.",
    "A word or name that is likely to be said; repeatable.": (
        "Un mot ou un nom qui sera sans doute prononcé ; peut être répété."
    ),
    "FILE is raw 16-bit mono PCM of this rate.": "FILE est du PCM brut, mono, 16 bits, à cette fréquence.",
    # What it tells.
    "--json and --format ask for two formats: give one of them": (
        "--json et --format demandent deux formats : n'en donne qu'un"
    ),
    "{failed} of {total} recordings could not be transcribed": (
        "transcription impossible pour {failed} des {total} enregistrements"
    ),
    "{path} is no recording of a known kind; for raw PCM, give --raw-rate HZ": (
        "{path} n'est pas un enregistrement d'un type connu ; pour du PCM brut, donne --raw-rate HZ"
    ),
    "no speech was understood in this recording": "aucune parole n'a été comprise dans cet enregistrement",
    "{service} ended without a transcript; try again": "{service} n'a pas rendu de transcription ; réessaie",
    "sending": "envoi",
    "transcribing": "transcription",
    "{path}: its ending names no format; give it one of {endings}, or --format": (
        "{path} : cette extension n'est celle d'aucun format ; choisis-en une parmi {endings}, ou donne --format"
    ),
    "these are several recordings: give --out FOLDER for their transcripts": (
        "il y a plusieurs enregistrements : donne --out FOLDER pour leurs transcriptions"
    ),
    "{path} is a file: several recordings need a folder for their transcripts": (
        "{path} est un fichier : il faut un dossier pour les transcriptions de plusieurs enregistrements"
    ),
    "{recording} and {other} would both become {path}": "{recording} et {other} donneraient tous deux {path}",
    "{path} is the recording itself: give another --out": "{path} est l'enregistrement lui-même : donne un autre --out",
}
