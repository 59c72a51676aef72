"""What Whisper writes when nobody speaks: credits and farewells of the films it learned from. Pure.

Two kinds. Credits ("Sous-titres réalisés par…") are said by no user of a voice assistant: they go, alone or at the end
of a true sentence. Courtesies ("Merci.") are said by people too: alone, and only where the decoder itself doubts that
anybody spoke, they go.
"""

import re

_CREDITS = re.compile(
    r"""(?:^|(?<=[.!?…])\s+|\s+-\s*)  # a sentence of its own
    (?:
        sous[- ]titr(?:es|age)s?\b[^.!?]*\b(?:amara|soustitreur|radio[- ]canada|par|st'?\s*501)\b.*
      | (?:merci\ d['’]avoir\ regardé\ (?:cette|la)\ vidéo|n['’]oubliez\ pas\ de\ vous\ abonner)\b.*
      | (?:abonnez[- ]vous\ (?:à\ (?:la|ma|notre)\ chaîne)?)[\s.!]*
      | (?:thanks?(?:\ you)?(?:\ (?:so|very)\ much)?\ for\ watching)\b.*
      | (?:please\ )?(?:like\ and\ subscribe|subscribe\ to\ (?:my|our|the)\ channel)\b.*
      | (?:subtitles|captions|transcription|transcribed|translated|captioned)\ (?:made\ |provided\ )?by\b.*
      | untertitel(?:ung)?\b.*\b(?:amara|zdf|ard|funk|von|im\ auftrag)\b.*
      | subtítulos\b.*\b(?:amara|por|realizados)\b.*
      | (?:www\.)?[a-z0-9-]+\.(?:com|org|fr|co\.uk)
    )\s*$""",
    re.IGNORECASE | re.VERBOSE,
)
_COURTESIES = frozenset(
    [
        "merci",
        "merci beaucoup",
        "merci à tous",
        "au revoir",
        "à bientôt",
        "bonjour",
        "oui",
        "ok",
        "amen",
        "thank you",
        "thank you very much",
        "thanks",
        "bye",
        "bye bye",
        "you",
        "so",
        "okay",
        "oh",
        "yeah",
        "the end",
        "danke",
        "vielen dank",
        "gracias",
        "grazie",
        "obrigado",
    ]
)
_MUSIC = re.compile(
    r"[♪♫🎵🎶]+|\[[^\]]*\]|\((?:musique|music|applaudissements|applause|rires|laughter|silence)[^)]*\)", re.I
)
_DOUBTFUL_NO_SPEECH = 0.3


def without_hallucinations(text: str, no_speech: float) -> str:
    """The text without what was most likely not said; `no_speech` is the decoder's own probability of silence."""
    said = _MUSIC.sub(" ", text)
    said = _CREDITS.sub("", said)
    said = " ".join(said.split())
    if no_speech >= _DOUBTFUL_NO_SPEECH and _bare(said) in _COURTESIES:
        return ""
    return said if _bare(said) else ""


def _bare(text: str) -> str:
    """Lower-case words without punctuation."""
    return " ".join(re.findall(r"[\w'’-]*\w", text.lower()))
