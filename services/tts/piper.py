"""The Piper engine: several voices, loaded at once, that share a few threads."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from services.common.errors import ModelError, UnsupportedError
from services.common.text import primary_language
from services.common.threads import EngineThreads
from services.tts.config import PiperSection
from services.tts.engine import Speech, Voice, VoiceChoice, Word
from services.tts.piper_files import read_voice
from services.tts.piper_voice import LoadedVoice, PiperDevice

_log = logging.getLogger(__name__)
_SENTENCE_LIMIT_S = 15.0  # a sentence looks at nothing until it is said: the longest, on a slow CPU


class PiperEngine:
    """Speaks with the voice that a caller names, or with the best of his language."""

    def __init__(self, settings: PiperSection) -> None:
        self._settings = settings
        self._threads = EngineThreads(settings.parallel, "piper")
        self._loaded: tuple[LoadedVoice, ...] = ()

    @classmethod
    async def load(cls, settings: PiperSection, find: Callable[[str], Path]) -> "PiperEngine":
        """Loads the voices that can be loaded and lets each say a word; ModelError where none can.

        `find` tells where a voice of the settings lies, or raises a ModelError.
        """
        engine = cls(settings)
        try:
            engine._loaded = await engine._threads.run(lambda _stop: _load_all(settings, find), _SENTENCE_LIMIT_S)
        except BaseException:
            await engine.close()
            raise
        return engine

    def voices(self) -> Sequence[Voice]:
        """In the order of the settings."""
        return [loaded.voice for loaded in self._loaded]

    def identity(self, choice: VoiceChoice) -> str:
        """The voice, its files, and what the settings add to the choice."""
        chosen = self._chosen(choice)
        noise = f"{self._settings.noise_scale} {self._settings.noise_width}"
        return f"piper {chosen.voice.name} {chosen.digest} {noise}"

    async def synthesize(self, words: Sequence[Word], choice: VoiceChoice, urgent: bool = False) -> Speech:
        """The spoken words."""
        loaded = self._chosen(choice)
        settled = replace(
            choice,
            noise_scale=self._settings.noise_scale if choice.noise_scale is None else choice.noise_scale,
            noise_width=self._settings.noise_width if choice.noise_width is None else choice.noise_width,
        )
        return await self._threads.run(lambda stop: loaded.speak(words, settled, stop.is_set), _SENTENCE_LIMIT_S)

    @property
    def stuck(self) -> str | None:
        """Why one of its threads must be taken for lost, if it must."""
        return self._threads.stuck

    async def close(self) -> None:
        """Ends its threads and lets go of the voices."""
        self._threads.shutdown(wait=False)
        self._loaded = ()

    def _chosen(self, choice: VoiceChoice) -> LoadedVoice:
        for one in self._candidates(choice):
            if not choice.speaker or choice.speaker in one.voice.speakers:
                return one
        wanted = f"voice {choice.voice!r}" if choice.voice else f"voice for {choice.language_code!r}"
        raise UnsupportedError(f"Piper has no {wanted}" + (f" with {choice.speaker!r}" if choice.speaker else ""))

    def _candidates(self, choice: VoiceChoice) -> list[LoadedVoice]:
        """Those that are of this name, or of this language, the best first."""
        if choice.voice:
            return [one for one in self._loaded if one.voice.name == choice.voice]
        code = choice.language_code.lower()
        return [
            one
            for wanted in (code, primary_language(code))
            for one in self._loaded
            if not wanted or wanted in map(str.lower, one.voice.language_codes)
        ]


def _load_all(settings: PiperSection, find: Callable[[str], Path]) -> tuple[LoadedVoice, ...]:
    device = PiperDevice(settings.device, settings.threads)
    loaded: dict[str, LoadedVoice] = {}
    problems = []
    for name in settings.voices:
        try:
            voice = LoadedVoice(read_voice(find(name)), device)
        except ModelError as error:
            _log.warning("Piper does without the voice %s: %s", name, error)
            problems.append(f"{name}: {error}")
        else:
            loaded.setdefault(voice.voice.name, voice)
    if not loaded:
        raise ModelError(f"Piper has no voice that can be loaded: {'; '.join(problems) or 'tts.piper.voices is empty'}")
    return tuple(loaded.values())
