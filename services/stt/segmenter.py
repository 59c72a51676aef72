"""Finds the utterances in a stream of audio: frames → voice activity, turns → endpointing → steps for a decoder."""

from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np

from services.common.audio import Samples
from services.common.errors import CallError
from services.common.threads import run_blocking
from services.stt.endpointing import Cause, Ended, Endpointer, Endpointing, Event, Paused, Started
from services.stt.engine import ENGINE_RATE_HZ, FRAME_MS, FRAME_SAMPLES, VoiceDetector
from services.stt.onset import audible_before
from services.stt.turn_detector import TURN_SAMPLES, TurnDetector, TurnJudge

PRE_ROLL_MS = 300  # detection is late; without it the first consonant is lost
_TURN_FRAMES = TURN_SAMPLES // FRAME_SAMPLES


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

    def __init__(
        self,
        settings: Endpointing,
        detector: VoiceDetector,
        threads: Executor,
        *,
        turn_detector: TurnDetector | None = None,
        turn_threads: Executor | None = None,
        on_turn_failure: Callable[[], None] = lambda: None,
    ) -> None:
        """Without a turn detector, or with `unfinished_wait_ms` at 0, silence alone ends an utterance."""
        self._endpointer = Endpointer(settings, FRAME_MS)
        self._detector = detector
        self._threads = threads
        self._judge: TurnJudge | None = None
        if turn_detector is not None and settings.unfinished_wait_ms > 0:
            self._judge = TurnJudge(turn_detector, turn_threads or threads, on_turn_failure)
        self._rest = np.zeros(0, np.int16)
        # As much as a turn detector looks back on, which is more than any beginning of speech; never what an utterance
        # before had.
        self._heard: deque[Samples] = deque(maxlen=_TURN_FRAMES)
        self._begin_ms = 0.0  # of what the utterance has

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
                if isinstance(step, Paused) and self._judge is not None:
                    self._endpointer.judge(await self._judge.verdict(self._turn()))

    def _finish(self, cause: Cause) -> list[Event]:
        if self._endpointer.in_utterance:  # else it may be the beginning of the next one
            self._heard.clear()
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
        self._heard.append(frame)
        if was_in_utterance:
            yield Speech(frame, self._endpointer.now_ms - FRAME_MS)
        for event in events:
            if isinstance(event, Started):
                started = self._from_its_onset(event)
                yield started
                speech = self._since(started.start_ms - PRE_ROLL_MS)
                self._begin_ms = speech.begin_ms
                yield speech
                continue
            yield event
            if isinstance(event, Ended):
                self._heard.clear()

    def _from_its_onset(self, event: Started) -> Started:
        """The same start, with the soft sounds that detection did not take for speech."""
        frames = list(self._heard)
        detected = len(frames) - round((self._endpointer.now_ms - event.start_ms) / FRAME_MS)
        soft_ms = audible_before(frames[:detected], frames[detected:]) * FRAME_MS
        return Started(event.start_ms - soft_ms, event.sure_ms)

    def _turn(self) -> Samples:
        """The utterance, or the end of a long one."""
        return self._since(self._begin_ms).samples

    def _since(self, begin_ms: float) -> Speech:
        """What was heard since `begin_ms`, as far as it was kept."""
        wanted = round((self._endpointer.now_ms - begin_ms) / FRAME_MS)
        kept = list(self._heard)[-wanted:]
        return Speech(np.concatenate(kept), self._endpointer.now_ms - len(kept) * FRAME_MS)
