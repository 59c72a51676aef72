"""Speaks streamed text through the chain of engines, and knows which characters each chunk of audio says."""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field

from services.common.audio import BYTES_PER_SAMPLE, Recording, encode_pcm, resample
from services.common.chain import Answer, EngineChain
from services.common.tasks import read_ahead
from services.common.text import clean
from services.tts.engine import TtsEngine, VoiceChoice
from services.tts.metrics import TtsMetrics
from services.tts.pieces import Piece, PieceCutter

_CHUNK_MS = 30
_PIECES_AHEAD = 256  # a caller's text is read on while its audio waits to be taken


@dataclass(frozen=True)
class FlushText:
    """Speak what is there, even inside a sentence."""


@dataclass(frozen=True)
class SpokenChunk:
    """A little audio, and what it says."""

    audio: bytes
    first_sample: int
    sample_rate_hz: int
    piece: Piece
    piece_number: int
    backend: str

    @property
    def offset_ms(self) -> float:
        """When it begins, since the first sample of all."""
        return self.first_sample * 1000 / self.sample_rate_hz


@dataclass
class Tally:
    """What a synthesis came to."""

    characters: int = 0
    samples: int = 0
    first_audio_ms: float = 0.0
    processing_ms: float = 0.0
    began_at: float = field(default_factory=time.monotonic)


class Speaker:
    """One for the process: it holds no state of any caller."""

    def __init__(self, chain: EngineChain[TtsEngine], metrics: TtsMetrics, limit_s: float) -> None:
        self._chain = chain
        self._metrics = metrics
        self._limit_s = limit_s

    async def speak(
        self, text: AsyncIterator[str | FlushText], choice: VoiceChoice, rate_hz: int | None, tally: Tally
    ) -> AsyncGenerator[SpokenChunk, None]:
        """The audio of the text, piece by piece, at the rate asked for or at that of the first piece's voice."""
        number = 0
        async with aclosing(read_ahead(_cut(text, tally), _PIECES_AHEAD)) as pieces:
            async for piece in pieces:
                if not piece.is_speakable:
                    continue
                spoken = await self._synthesize(piece, choice, tally)
                rate_hz = rate_hz or spoken.value.sample_rate_hz
                for chunk in _chunks(Answer(spoken.backend, resample(spoken.value, rate_hz)), piece, number, tally):
                    yield chunk
                number += 1

    async def _synthesize(self, piece: Piece, choice: VoiceChoice, tally: Tally) -> Answer[Recording]:
        began = time.monotonic()
        spoken = await self._chain.call(lambda engine: engine.synthesize(piece.text, choice), self._limit_s)
        took_s = time.monotonic() - began
        tally.processing_ms += took_s * 1000
        self._metrics.synthesis_seconds.labels(spoken.backend).observe(took_s)
        if not tally.samples:
            first_audio_s = time.monotonic() - tally.began_at
            tally.first_audio_ms = first_audio_s * 1000
            self._metrics.first_audio_seconds.observe(first_audio_s)
        return spoken


async def _cut(text: AsyncIterator[str | FlushText], tally: Tally) -> AsyncIterator[Piece]:
    cutter = PieceCutter()
    async for portion in text:
        if isinstance(portion, FlushText):
            pieces = cutter.flush()
        else:
            if not tally.characters:
                tally.began_at = time.monotonic()
            tally.characters += len(portion)
            pieces = cutter.push(clean(portion))
        for piece in pieces:
            yield piece
    for piece in cutter.flush():
        yield piece


def _chunks(spoken: Answer[Recording], piece: Piece, number: int, tally: Tally) -> Iterator[SpokenChunk]:
    rate_hz = spoken.value.sample_rate_hz
    audio = encode_pcm(spoken.value.samples)
    step = rate_hz * _CHUNK_MS // 1000 * BYTES_PER_SAMPLE
    for start in range(0, len(audio), step):
        chunk = audio[start : start + step]
        yield SpokenChunk(chunk, tally.samples, rate_hz, piece, number, spoken.backend)
        tally.samples += len(chunk) // BYTES_PER_SAMPLE
