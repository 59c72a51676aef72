"""Transcribes whole recordings: the same ears, fed as fast as they listen."""

import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass

from services.common.audio import Recording, Samples
from services.stt.engine import ENGINE_RATE_HZ
from services.stt.events import Heard, UtteranceEnded
from services.stt.listener import Listener
from services.stt.segmenter import FlushUtterance, Segmenter

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
    processing_ms: float

    @property
    def text(self) -> str:
        """All segments, one after the other."""
        return " ".join(segment.text for segment in self.segments)


async def transcribe(
    recording: Recording, listener: Listener, segmenter: Segmenter, backend: str
) -> AsyncGenerator[Heard | Progress | RecordingTranscript, None]:
    """Each stretch of speech of a recording at ENGINE_RATE_HZ as it is done, and at last the whole.

    `backend` is named where nothing is said.
    """
    began = time.monotonic()
    segments: list[Heard] = []
    yield Progress(0, recording.duration_ms)
    async with aclosing(listener.listen(segmenter, _slabs(recording.samples))) as events:
        async for event in events:
            if isinstance(event, Heard) and event.is_final and event.text:
                segments.append(event)
                yield event
            elif isinstance(event, UtteranceEnded):
                yield Progress(event.end_ms, recording.duration_ms)
    yield Progress(recording.duration_ms, recording.duration_ms)
    backend = segments[-1].backend if segments else backend
    yield RecordingTranscript(tuple(segments), recording.duration_ms, backend, (time.monotonic() - began) * 1000)


async def _slabs(samples: Samples) -> AsyncIterator[Samples | FlushUtterance]:
    for start in range(0, samples.size, _SLAB_SAMPLES):
        yield samples[start : start + _SLAB_SAMPLES]
