"""Listens to a stream: finds its utterances and decodes them as they come.

The segmenter's steps are taken as they come, while at most one decoding of the utterance is at work in a task of its
own. So a partial holds up nobody, and an eager transcript is dropped as soon as the speaker goes on.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from dataclasses import dataclass, replace
from typing import Any

from services.common.audio import Samples
from services.common.chain import EngineChain
from services.common.errors import CallError
from services.common.tasks import close_for_sure, read_batches, wait_for_end
from services.stt.endpointing import Ended, Paused, Resumed, Started
from services.stt.engine import HeardWord, Hypothesis, RecognitionOptions, SttEngine, Urgency
from services.stt.events import Heard, ListenerEvent, SpeechPaused, SpeechResumed, SpeechStarted, UtteranceEnded
from services.stt.metrics import SttMetrics
from services.stt.partials import Partials
from services.stt.segmenter import FlushUtterance, Segmenter, Speech, Step
from services.stt.steps import coalesced
from services.stt.utterance import Utterance

_STEPS_AHEAD = 2000  # about a minute of frames: an engine that falls further behind holds the caller up


@dataclass(frozen=True)
class ListenOptions:
    """What one caller wants."""

    recognition: RecognitionOptions
    interim_results: bool
    limit_s: float


@dataclass(frozen=True)
class _Work:
    """A decoding that is under way: an eager transcript of what ended at `end_ms`, or else a partial."""

    task: asyncio.Task[Heard | None]
    eager_end_ms: float | None = None


class Listener:
    """One stream."""

    def __init__(self, chain: EngineChain[SttEngine], metrics: SttMetrics, options: ListenOptions) -> None:
        self._chain = chain
        self._metrics = metrics
        self._options = options
        self._id = 0
        self._work: _Work | None = None
        self._eager: Heard | None = None  # of a pause that may be the end
        self._reset(0.0, 0.0)

    async def listen(
        self, segmenter: Segmenter, audio: AsyncIterator[Samples | FlushUtterance]
    ) -> AsyncGenerator[ListenerEvent, None]:
        """The events of the stream, in order."""
        batches = read_batches(segmenter.steps(audio), _STEPS_AHEAD)
        reading = asyncio.create_task(_next(batches))
        try:
            while True:
                await asyncio.wait(self._waiting_for(reading), return_when=asyncio.FIRST_COMPLETED)
                for event in self._done_work():
                    yield event
                if reading.done():
                    if not (batch := reading.result()):
                        return
                    reading = asyncio.create_task(_next(batches))
                    for step in coalesced(batch):
                        async for event in self._take(step):
                            yield event
                self._go_on()
        finally:
            # In a task of its own, so that a second cancellation cannot cut it short.
            await wait_for_end(asyncio.create_task(self._clean_up(reading, batches)))

    async def _clean_up(self, reading: asyncio.Task[list[Step]], batches: AsyncGenerator[list[Step], None]) -> None:
        reading.cancel()
        await wait_for_end(reading)
        await close_for_sure(batches)
        await self._drop_work()
        await self._utterance.close()

    def _waiting_for(self, reading: asyncio.Task[list[Step]]) -> set[asyncio.Task[Any]]:
        return {reading} if self._work is None else {reading, self._work.task}

    async def _take(self, step: Step) -> AsyncIterator[ListenerEvent]:
        if isinstance(step, Speech):
            self._feed(step)
        elif isinstance(step, Started):
            self._id += 1
            self._reset(step.start_ms, max(step.start_ms, step.sure_ms))
            yield SpeechStarted(self._id, step.start_ms)
        elif isinstance(step, Paused):
            await self._drop_work()
            self._work = _Work(asyncio.create_task(self._transcribe(step.end_ms, Urgency.EAGER)), step.end_ms)
        elif isinstance(step, Resumed):
            await self._drop_work()
            if self._eager is not None:  # else the pause was over before anybody knew of it
                self._eager = None
                yield SpeechResumed(self._id, step.at_ms)
        else:
            async for event in self._end(step):
                yield event

    def _reset(self, start_ms: float, sure_ms: float) -> None:
        """Everything that belongs to one utterance. Partials are of what is surely speech: half a word is misheard."""
        self._utterance = Utterance(self._chain, self._options.recognition, self._options.limit_s)
        self._partials = Partials(sure_ms)
        self._start_ms = start_ms
        self._origin_ms: float | None = None  # of the first sample fed
        self._fed_to_ms = start_ms
        self._eager = None

    def _feed(self, speech: Speech) -> None:
        if self._origin_ms is None:
            self._origin_ms = speech.begin_ms
        self._utterance.feed(speech.samples)
        self._fed_to_ms = speech.end_ms

    def _go_on(self) -> None:
        """Begins a decoding where one is due and none is at work already; partials are coalesced thus.

        Also after one that failed: the next is due when more was said, not at once.
        """
        if self._work is not None or self._eager is not None or not self._partials.is_due(self._fed_to_ms):
            return
        if self._options.interim_results or self._utterance.is_full:
            self._partials.asked(self._fed_to_ms)
            along = self._partial(self._fed_to_ms) if self._options.interim_results else self._advance()
            self._work = _Work(asyncio.create_task(along))

    async def _partial(self, end_ms: float) -> Heard | None:
        answer = await self._utterance.partial()
        shown = self._partials.agree(answer.value.text)
        if shown is None:
            return None
        heard = self._heard(replace(answer.value, text=shown.text, words=()), answer.backend, end_ms)
        return replace(heard, tentative=shown.tentative, stability=shown.stability)

    async def _advance(self) -> None:
        await self._utterance.advance(Urgency.EAGER)

    async def _transcribe(self, end_ms: float, urgency: Urgency) -> Heard:
        began = time.monotonic()
        answer = await self._utterance.transcript(urgency)
        processing_ms = (time.monotonic() - began) * 1000
        return replace(self._heard(answer.value, answer.backend, end_ms), processing_ms=processing_ms)

    def _done_work(self) -> Iterable[ListenerEvent]:
        """What the decoding tells that was under way, if it is done."""
        work = self._work
        if work is None or not work.task.done():
            return
        self._work = None
        if isinstance(work.task.exception(), CallError):
            return  # nothing is lost without it: at the end all is asked for once more, and then it counts
        heard = work.task.result()
        if work.eager_end_ms is not None:
            self._eager = heard
            yield SpeechPaused(self._id, work.eager_end_ms, heard if heard and heard.text else None)
        elif heard is not None:
            yield heard

    async def _drop_work(self) -> None:
        """Nobody wants any more what is being decoded, nor its failure: who asks next will see for himself."""
        work, self._work = self._work, None
        if work is not None:
            work.task.cancel()
            await wait_for_end(work.task)

    async def _end(self, step: Ended) -> AsyncIterator[ListenerEvent]:
        if self._work is not None and self._work.eager_end_ms is not None:
            await asyncio.wait({self._work.task})
            for event in self._done_work():
                yield event
        await self._drop_work()
        # The eager transcript, at no further cost, where nothing was said after it.
        heard = self._eager or await self._transcribe(step.end_ms, Urgency.FINAL)
        took_s, audio_s = heard.processing_ms / 1000, (step.end_ms - self._start_ms) / 1000
        self._metrics.transcribed(heard.backend, took_s, audio_s, empty=not heard.text)
        yield replace(heard, is_final=True, end_ms=step.end_ms)
        yield UtteranceEnded(self._id, step.end_ms, step.decided_ms, step.cause)
        await self._utterance.close()
        self._reset(step.end_ms, step.end_ms)

    def _heard(self, hypothesis: Hypothesis, backend: str, end_ms: float) -> Heard:
        return Heard(
            utterance_id=self._id,
            text=hypothesis.text,
            is_final=False,
            start_ms=self._start_ms,
            end_ms=end_ms,
            backend=backend,
            confidence=hypothesis.confidence,
            language_code=hypothesis.language_code,
            words=tuple(moved(hypothesis.words, self._origin_ms or 0.0)),
        )


def moved(words: Iterable[HeardWord], by_ms: float) -> Iterable[HeardWord]:
    """The same words, so much later."""
    return (replace(word, start_ms=word.start_ms + by_ms, end_ms=word.end_ms + by_ms) for word in words)


async def _next(batches: AsyncGenerator[list[Step], None]) -> list[Step]:
    """The next batch; an empty one at the end."""
    return await anext(batches, [])
