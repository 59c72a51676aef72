"""Finds the utterances in a stream of audio: frames → voice activity → endpointing → steps for a decoder."""

from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np

from services.common.audio import Samples
from services.common.errors import CallError
from services.common.threads import run_blocking
from services.stt.endpointing import Cause, Ended, Endpointer, Endpointing, Event, Started
from services.stt.engine import ENGINE_RATE_HZ, FRAME_MS, FRAME_SAMPLES, VoiceDetector

PRE_ROLL_MS = 300  # detection is late; without it the first consonant is lost


@dataclass(frozen=True)
class FlushUtterance:
    """End the current utterance at once."""


@dataclass(frozen=True)
class Speech:
    """Audio of the current utterance, from `begin_ms` on."""

    samples: Samples
    begin_ms: float

    @property
    def end_ms(self) -> float:
        """Where it ends."""
        return self.begin_ms + self.samples.size * 1000 / ENGINE_RATE_HZ


Step = Event | Speech


class Segmenter:
    """The utterances of one stream."""

    def __init__(self, settings: Endpointing, detector: VoiceDetector, threads: Executor) -> None:
        self._endpointer = Endpointer(settings, FRAME_MS)
        self._detector = detector
        self._threads = threads
        self._rest = np.zeros(0, np.int16)
        kept = int((PRE_ROLL_MS + settings.min_speech_ms + settings.soft_pause_ms) / FRAME_MS) + 1
        self._before: deque[Samples] = deque(maxlen=kept)

    @property
    def in_utterance(self) -> bool:
        """Whether somebody is speaking."""
        return self._endpointer.in_utterance

    async def steps(self, audio: AsyncIterator[Samples | FlushUtterance]) -> AsyncGenerator[Step, None]:
        """What a decoder has to do, in order, for audio at ENGINE_RATE_HZ."""
        broken: CallError | None = None
        try:
            async for item in audio:
                async for step in self._take(item):
                    yield step
            async for step in self._look_at(self._frames(self._padding())):
                yield step
        except CallError as error:
            broken = error  # the caller broke a limit; what was said until then is still heard
        for event in self._finish(Cause.END_OF_AUDIO):
            yield event
        if broken is not None:
            raise broken

    async def _take(self, item: Samples | FlushUtterance) -> AsyncIterator[Step]:
        if isinstance(item, FlushUtterance):
            for event in self._finish(Cause.FLUSH):
                yield event
        else:
            async for step in self._look_at(self._frames(item)):
                yield step

    def _padding(self) -> Samples:
        """The silence that makes the last frame whole."""
        return np.zeros(-self._rest.size % FRAME_SAMPLES, np.int16)

    async def _look_at(self, frames: list[Samples]) -> AsyncIterator[Step]:
        for frame, probability in zip(frames, await self._probabilities(frames), strict=True):
            for step in self._push(frame, probability):
                yield step

    def _finish(self, cause: Cause) -> list[Event]:
        self._before.clear()
        return self._endpointer.finish(cause)

    async def _probabilities(self, frames: list[Samples]) -> list[float]:
        """One hop to a thread for all frames of a message: the loop stays free for other streams."""
        return await run_blocking(self._threads, lambda _stop: self._detector.probabilities(frames))

    def _frames(self, samples: Samples) -> list[Samples]:
        waiting = np.concatenate([self._rest, samples])
        whole = waiting.size // FRAME_SAMPLES * FRAME_SAMPLES
        self._rest = waiting[whole:]
        return list(waiting[:whole].reshape(-1, FRAME_SAMPLES))

    def _push(self, frame: Samples, probability: float) -> Iterator[Step]:
        was_in_utterance = self._endpointer.in_utterance
        events = self._endpointer.push(probability)
        if was_in_utterance:
            yield Speech(frame, self._endpointer.now_ms - FRAME_MS)
        else:
            self._before.append(frame)
        for event in events:
            yield event
            if isinstance(event, Started):
                yield self._speech_since(event.start_ms - PRE_ROLL_MS)
            if isinstance(event, Ended):
                self._before.clear()

    def _speech_since(self, begin_ms: float) -> Speech:
        """What was heard since `begin_ms`, as far as it was kept."""
        wanted = round((self._endpointer.now_ms - begin_ms) / FRAME_MS)
        kept = list(self._before)[-wanted:]
        return Speech(np.concatenate(kept), self._endpointer.now_ms - len(kept) * FRAME_MS)
