"""A Speaker over scripted voices, and what is heard of it: what the mouth's unit tests share."""

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing

from prometheus_client import CollectorRegistry

from services.common.audio import decode_pcm
from services.common.chain import Candidate, EngineChain
from services.common.metrics import ChainMetrics
from services.tts.engine import TtsEngine, VoiceChoice, Word
from services.tts.metrics import TtsMetrics
from services.tts.phrases import Phrase
from services.tts.speaker import Speaker
from services.tts.tally import Tally
from services.tts.track import SpokenChunk
from tests.fakes.voices import ScriptedVoice, number_at

LIMIT_S = 20.0


def phrase(text: str, start: int = 0, pause_ms: int = 0) -> Phrase:
    """One that stands at `start` of the input, its words where there is white space."""
    words = tuple(Word(m[0], start + m.start(), start + m.end()) for m in re.finditer(r"\S+", text))
    return Phrase(words, start, start + len(text), pause_ms)


def phrases(*texts: str, pause_ms: int = 0) -> list[Phrase]:
    """Those of a whole text."""
    starts = [sum(len(text) for text in texts[:index]) for index in range(len(texts))]
    return [phrase(text, start, pause_ms) for text, start in zip(texts, starts, strict=True)]


class Source:
    """Gives phrases, then the error if there is one, and remembers how far it was read."""

    def __init__(self, given: Sequence[Phrase], error: Exception | None = None) -> None:
        self.taken = 0
        self.is_closed = False
        self._given = given
        self._error = error

    async def __call__(self) -> AsyncGenerator[Phrase, None]:
        try:
            for one in self._given:
                self.taken += 1
                yield one
            if self._error is not None:
                raise self._error
        finally:
            await asyncio.sleep(0)  # cleaning up takes a turn of the loop
            self.is_closed = True


class Hall:
    """Scripted voices, best first, and whoever speaks with them."""

    def __init__(self, *voices: ScriptedVoice, ahead_s: float = 2.0, limit_s: float = LIMIT_S) -> None:
        self.registry = CollectorRegistry()
        self.chain: EngineChain[TtsEngine] = EngineChain(
            [Candidate(f"voice-{number}", _loader(voice)) for number, voice in enumerate(voices)],
            ChainMetrics.create(self.registry, "tts"),
        )
        self.speaker = Speaker(self.chain, TtsMetrics.create(self.registry), limit_s, ahead_s)
        self.tally = Tally()

    def speak(
        self, source: Source | Sequence[Phrase], rate_hz: int | None = None, choice: VoiceChoice | None = None
    ) -> AsyncGenerator[SpokenChunk, None]:
        """What is to be heard."""
        given = source if isinstance(source, Source) else Source(source)
        return self.speaker.speak(given(), choice or VoiceChoice(), rate_hz, self.tally)

    async def hear(
        self, source: Source | Sequence[Phrase], rate_hz: int | None = None, choice: VoiceChoice | None = None
    ) -> list[SpokenChunk]:
        """All of it."""
        async with aclosing(self.speak(source, rate_hz, choice)) as chunks:
            return [chunk async for chunk in chunks]


def _loader(voice: ScriptedVoice) -> Callable[[], Awaitable[TtsEngine]]:
    async def load() -> TtsEngine:
        return voice

    return load


def heard_number(chunk: SpokenChunk) -> int | None:
    """Which of the voice's words sounds in the middle of the chunk; None for silence."""
    return number_at(decode_pcm(chunk.audio, "audio"))


def duration_ms(chunks: Sequence[SpokenChunk]) -> float:
    """How long they sound."""
    return sum(chunk.duration_s for chunk in chunks) * 1000


async def settle() -> None:
    """Whoever can go on has gone on."""
    for _ in range(200):
        await asyncio.sleep(0)
