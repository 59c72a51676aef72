"""What Whisper writes when nobody speaks: credits and farewells of the films it learned from. Pure.

Two kinds. Credits ("Sous-titres réalisés par la communauté d'Amara.org") are said by no user of a voice assistant: they
go, alone or after a true sentence. What people say too ("Abonnez-vous", "Merci.") goes only where the decoder
itself doubts that anybody spoke.
"""

import re

_SENTENCE = r"(?:^|(?<=[.!?…])\s+|\s+-\s*)"  # it begins one of its own, and ends the text
_CERTAIN = re.compile(
    _SENTENCE
    + r"""(?:
        sous[- ]?titr(?:es|age)s?\b[^.!?]*\b(?:amara|soustitreur|radio[- ]canada|st'?\ ?501)(?:\.\w+)?
      | merci\ d['’]avoir\ regardé\ (?:cette|la)\ vidéo
      | thanks?(?:\ you)?(?:\ (?:so|very)\ much)?\ for\ watching
        (?:[\s,.!]*(?:and\ )?(?:i['’]ll\ )?see\ you\ (?:in\ the\ )?next\ (?:time|video|one))?
      | (?:subtitles|captions|transcription)\ by\ the\ amara(?:\.org)?\ community
      | untertitel(?:ung)?\b[^.!?]*\b(?:amara|zdf|ard|swr|funk)\b[^.!?]*(?:\.org[^.!?]*)?
      | subtítulos\b[^.!?]*\bamara(?:\.org)?
    )[\s.!?]*$""",
    re.IGNORECASE | re.VERBOSE,
)
_DOUBTFUL = re.compile(
    _SENTENCE
    + r"""(?:
        sous[- ]?titr(?:es|age)s?\ [^.!?]*\bpar\b[^.!?]*
      | n['’]oubliez\ pas\ de\ vous\ abonner[^.!?]* | abonnez[- ]vous[^.!?]*
      | (?:please\ )?(?:like\ and\ )?subscribe[^.!?]*
      | (?:subtitles|captions|transcription|transcribed|translated|captioned)\ (?:made\ |provided\ )?by\b[^.!?]*
      | untertitel(?:ung)?\b[^.!?]*
      | (?:www\.)?[a-z0-9-]+\.(?:com|org|fr|co\.uk)
    )[\s.!?]*$""",
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
    said = _CERTAIN.sub("", said)
    if no_speech >= _DOUBTFUL_NO_SPEECH:
        said = _DOUBTFUL.sub("", said)
        said = "" if _bare(said) in _COURTESIES else said
    said = " ".join(said.split())
    return said if _bare(said) else ""


def _bare(text: str) -> str:
    """Lower-case words without punctuation."""
    return " ".join(re.findall(r"[\w'’-]*\w", text.lower()))
