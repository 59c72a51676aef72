"""A first-class implementation of the mouth's seam: a voice whose every sound is known beforehand."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from services.common.audio import Recording, Samples
from services.tts.engine import Speech, Voice, VoiceChoice, Word

LEVEL_STEP = 500  # between the levels of one word and the next
_LEVELS = 40


@dataclass
class ScriptedVoice:
    """Holds a level for each word: the n-th word that it ever says has the n-th level, so that a listener can tell.

    A word lasts `ms_per_character` for each of its characters, between `lead_ms` and `tail_ms` of silence. The
    requests whose numbers are in `failures` fail so; `holds`, while it is not set, keeps every request waiting.
    """

    rate_hz: int = 16_000
    lead_ms: int = 80
    tail_ms: int = 120
    ms_per_character: int = 50
    knows_starts: bool = True
    name: str = "scripted"
    failures: dict[int, Exception] = field(default_factory=dict)
    holds: asyncio.Event | None = None
    asked: list[tuple[str, VoiceChoice]] = field(default_factory=list)
    urgent: list[bool] = field(default_factory=list)  # of each of them, whether it was
    cancelled: int = 0
    words: list[Word] = field(default_factory=list)  # all that it said
    is_closed: bool = False

    def voices(self) -> Sequence[Voice]:
        return (Voice(self.name, ("fr", "en"), self.rate_hz),)

    def identity(self, choice: VoiceChoice) -> str:
        return self.name

    async def synthesize(self, words: Sequence[Word], choice: VoiceChoice, urgent: bool = False) -> Speech:
        self.asked.append((" ".join(word.text for word in words), choice))
        self.urgent.append(urgent)
        if (failure := self.failures.get(len(self.asked))) is not None:
            raise failure
        try:
            if self.holds is not None:
                await self.holds.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return self._say(words)

    async def close(self) -> None:
        self.is_closed = True

    def _say(self, words: Sequence[Word]) -> Speech:
        parts, starts = [self._silence(self.lead_ms)], []
        for word in words:
            starts.append(sum(part.size for part in parts))
            parts.append(self._level(len(word.text) * self.ms_per_character, level_of(len(self.words))))
            self.words.append(replace(word))
        parts.append(self._silence(self.tail_ms))
        recording = Recording(np.concatenate(parts), self.rate_hz)
        return Speech(recording, self.name, tuple(starts) if self.knows_starts else ())

    def _silence(self, duration_ms: int) -> Samples:
        return self._level(duration_ms, 0)

    def _level(self, duration_ms: int, level: int) -> Samples:
        return np.full(duration_ms * self.rate_hz // 1000, level, np.int16)


def level_of(number: int) -> int:
    """Of the n-th word. They come round after forty."""
    return LEVEL_STEP * (2 + number % _LEVELS)


def number_at(samples: Samples) -> int | None:
    """Which of the levels the middle of these samples has, None for silence."""
    level = float(np.median(samples))
    return None if level < LEVEL_STEP else round(level / LEVEL_STEP) - 2
