"""Which voice a caller means."""

from collections.abc import Iterable
from dataclasses import replace

from services.common.errors import UnsupportedError
from services.common.text import primary_language
from services.tts.engine import TtsEngine, Voice, VoiceChoice


def has_name(voice: Voice, name: str) -> bool:
    """Whether this voice is meant, with a variant such as `+f2` or without.

    One that is called by its language goes by all codes of that.
    """
    names = voice.language_codes if voice.name in voice.language_codes else (voice.name,)
    return name.partition("+")[0] in names


def speaks(voice: Voice, language_code: str) -> bool:
    """Whether this voice is one of the language."""
    wanted = primary_language(language_code)
    return any(primary_language(code) == wanted for code in voice.language_codes)


def speakers_of(voices: Iterable[Voice]) -> list[str]:
    """All speakers of the voices."""
    return sorted({name for voice in voices for name in voice.speakers})


def choice_for(engine: TtsEngine, choice: VoiceChoice, better: Iterable[TtsEngine]) -> VoiceChoice:
    """The choice as this engine takes it when those before it in the chain, `better`, do not speak.

    It stands in for one of them that has the voice, with its own best of the language. UnsupportedError where none of
    them has: then the voice is that of an engine further on.
    """
    if _fulfils(engine, choice):
        return choice
    if any(_fulfils(one, choice) for one in better):
        return replace(choice, voice="", speaker="")
    raise UnsupportedError(f"there is no voice {choice.voice!r}" if choice.voice else "there is no such speaker")


def _fulfils(engine: TtsEngine, choice: VoiceChoice) -> bool:
    voices = [voice for voice in engine.voices() if not choice.voice or has_name(voice, choice.voice)]
    return bool(voices) and (not choice.speaker or choice.speaker in speakers_of(voices))
