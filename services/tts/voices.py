"""Which voice a caller means."""

from collections.abc import Iterable

from services.common.errors import UnsupportedError
from services.common.text import primary_language
from services.tts.engine import TtsEngine, Voice


def has_name(voice: Voice, name: str) -> bool:
    """Whether this voice may be meant: by its name or language, with a variant such as `+f2` or without."""
    return name.partition("+")[0] in (voice.name, *voice.language_codes)


def speaks(voice: Voice, language_code: str) -> bool:
    """Whether this voice is one of the language."""
    wanted = primary_language(language_code)
    return any(primary_language(code) == wanted for code in voice.language_codes)


def speakers_of(voices: Iterable[Voice]) -> list[str]:
    """All speakers of the voices."""
    return sorted({name for voice in voices for name in voice.speakers})


def require_voice(engine: TtsEngine, name: str) -> None:
    """UnsupportedError if a voice is named that the engine has not: a last resort would speak for it."""
    if name and not any(has_name(voice, name) for voice in engine.voices()):
        raise UnsupportedError(f"there is no voice {name!r}")
