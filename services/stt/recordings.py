"""Transcribes whole recordings: the same ears, fed as fast as they listen, several stretches of speech at a time."""

import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass

from services.common.audio import Recording, Samples
from services.common.chain import EngineChain
from services.common.tasks import map_in_order
from services.stt.endpointing import Ended, Started
from services.stt.engine import ENGINE_RATE_HZ, RecognitionOptions, SttEngine, Urgency
from services.stt.events import Heard
from services.stt.listener import moved
from services.stt.metrics import SttMetrics
from services.stt.segmenter import FlushUtterance, Segmenter, Speech
from services.stt.utterance import Piece, Utterance

_SLAB_SAMPLES = ENGINE_RATE_HZ  # a second at a time


@dataclass(frozen=True)
class Progress:
    """How far the work has come."""

    processed_ms: float
    duration_ms: float


@dataclass(frozen=True)
class RecordingTranscript:
    """The whole of it."""

    segments: tuple[Heard, ...]
    duration_ms: float
    backend: str
    backends: tuple[str, ...]  # all that had a part in it, also where they understood nothing
    processing_ms: float

    @property
    def text(self) -> str:
        """All segments, one after the other."""
        return " ".join(segment.text for segment in self.segments)


@dataclass(frozen=True)
class _Stretch:
    """Speech without a long pause."""

    utterance: Utterance
    number: int
    start_ms: float  # of the speech
    origin_ms: float  # of its first sample, which is earlier
    end_ms: float


@dataclass(frozen=True)
class _Understood:
    """What came of a stretch."""

    segments: list[Heard]
    backends: set[str]


class Transcriber:
    """Transcribes one recording."""

    def __init__(
        self, chain: EngineChain[SttEngine], metrics: SttMetrics, recognition: RecognitionOptions, limit_s: float
    ) -> None:
        """`limit_s` is what an engine may take over one piece, its place in the queue included."""
        self._chain = chain
        self._metrics = metrics
        self._recognition = recognition
        self._limit_s = limit_s

    async def transcribe(
        self, recording: Recording, segmenter: Segmenter
    ) -> AsyncGenerator[Heard | Progress | RecordingTranscript, None]:
        """Each stretch of speech of a recording at ENGINE_RATE_HZ as it is done, and at last the whole."""
        began = time.monotonic()
        heard: list[Heard] = []
        best = self._chain.best()
        backend, backends = best.backend, set[str]()  # the best is named where nothing is said
        yield Progress(0, recording.duration_ms)
        stretches = self._stretches(segmenter, recording.samples)
        async with aclosing(map_in_order(stretches, self._understand, best.value.at_once)) as results:
            async for understood in results:
                backends |= understood.backends
                for segment in understood.segments:
                    heard.append(segment)
                    backend = segment.backend
                    yield segment
                    yield Progress(segment.end_ms, recording.duration_ms)
        yield Progress(recording.duration_ms, recording.duration_ms)
        took_ms = (time.monotonic() - began) * 1000
        yield RecordingTranscript(tuple(heard), recording.duration_ms, backend, tuple(sorted(backends)), took_ms)

    async def _stretches(self, segmenter: Segmenter, samples: Samples) -> AsyncGenerator[_Stretch, None]:
        utterance, number, start_ms, origin_ms = self._utterance(), 0, 0.0, None
        async with aclosing(segmenter.steps(_slabs(samples))) as steps:
            async for step in steps:
                if isinstance(step, Started):
                    utterance, number, start_ms, origin_ms = self._utterance(), number + 1, step.start_ms, None
                elif isinstance(step, Speech):
                    origin_ms = step.begin_ms if origin_ms is None else origin_ms
                    utterance.feed(step.samples)
                elif isinstance(step, Ended):
                    yield _Stretch(utterance, number, start_ms, origin_ms or 0.0, step.end_ms)

    async def _understand(self, stretch: _Stretch) -> _Understood:
        began = time.monotonic()
        try:
            pieces = await stretch.utterance.pieces(Urgency.RECORDING)
        finally:
            await stretch.utterance.close()
        segments = [_segment(stretch, piece) for piece in pieces if piece.answer.value.text]
        self._metrics.transcribed(
            pieces[-1].answer.backend,
            time.monotonic() - began,
            (stretch.end_ms - stretch.start_ms) / 1000,
            empty=not segments,
        )
        return _Understood(segments, {piece.answer.backend for piece in pieces})

    def _utterance(self) -> Utterance:
        return Utterance(self._chain, self._recognition, self._limit_s)


def _segment(stretch: _Stretch, piece: Piece) -> Heard:
    hypothesis = piece.answer.value
    return Heard(
        utterance_id=stretch.number,
        text=hypothesis.text,
        is_final=True,
        start_ms=max(stretch.start_ms, stretch.origin_ms + piece.begin_ms),
        end_ms=min(stretch.origin_ms + piece.end_ms, stretch.end_ms),
        backend=piece.answer.backend,
        confidence=hypothesis.confidence,
        language_code=hypothesis.language_code,
        words=tuple(moved(hypothesis.words, stretch.origin_ms + piece.begin_ms)),
    )


async def _slabs(samples: Samples) -> AsyncIterator[Samples | FlushUtterance]:
    for start in range(0, samples.size, _SLAB_SAMPLES):
        yield samples[start : start + _SLAB_SAMPLES]
