"""Listens to a stream: finds its utterances and decodes them as they come."""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import aclosing
from dataclasses import dataclass, replace

import numpy as np

from services.common.audio import Samples
from services.common.chain import Answer, EngineChain
from services.common.tasks import read_batches
from services.stt.endpointing import Paused, Resumed, Started
from services.stt.engine import HeardWord, Hypothesis, RecognitionOptions, SttEngine
from services.stt.events import Heard, ListenerEvent, SpeechPaused, SpeechResumed, SpeechStarted, UtteranceEnded
from services.stt.metrics import SttMetrics
from services.stt.segmenter import FlushUtterance, Segmenter, Speech, Step
from services.stt.utterance import Utterance

_PARTIAL_EVERY_MS = 300
_STEPS_AHEAD = 2000  # about a minute of frames: an engine that falls further behind holds the caller up


@dataclass(frozen=True)
class ListenOptions:
    """What one caller wants."""

    recognition: RecognitionOptions
    interim_results: bool
    limit_s: float


class Listener:
    """One stream. Everything about an utterance goes through one queue, so events come in order."""

    def __init__(self, chain: EngineChain[SttEngine], metrics: SttMetrics, options: ListenOptions) -> None:
        self._chain = chain
        self._metrics = metrics
        self._options = options
        self._utterance = Utterance(chain, options.recognition, options.limit_s)
        self._id = 0
        self._start_ms = 0.0
        self._origin_ms: float | None = None  # of the first sample fed
        self._fed_to_ms = 0.0
        self._partial_at_ms = 0.0
        self._previous = ""
        self._shown = ""
        self._eager: Heard | None = None  # of a pause that may be the end

    async def listen(
        self, segmenter: Segmenter, audio: AsyncIterator[Samples | FlushUtterance]
    ) -> AsyncGenerator[ListenerEvent, None]:
        """The events of the stream."""
        try:
            async with aclosing(read_batches(segmenter.steps(audio), _STEPS_AHEAD)) as batches:
                async for batch in batches:
                    for step in _coalesced(batch):
                        async for event in self._take(step):
                            yield event
        finally:
            await self._utterance.close()

    async def _take(self, step: Step) -> AsyncIterator[ListenerEvent]:
        if isinstance(step, Speech):
            if partial := await self._feed(step):
                yield partial
        elif isinstance(step, Started):
            self._begin(step)
            yield SpeechStarted(self._id, step.start_ms)
        elif isinstance(step, Paused):
            self._eager = await self._transcribe(step.end_ms)
            yield SpeechPaused(self._id, step.end_ms, self._eager if self._eager.text else None)
        elif isinstance(step, Resumed):
            self._eager = None
            yield SpeechResumed(self._id, step.at_ms)
        else:
            yield await self._final(step.end_ms)
            yield UtteranceEnded(self._id, step.end_ms, step.decided_ms, step.cause)
            await self._utterance.close()

    def _begin(self, step: Started) -> None:
        self._utterance = Utterance(self._chain, self._options.recognition, self._options.limit_s)
        self._id += 1
        self._start_ms = step.start_ms
        self._origin_ms = None
        self._partial_at_ms = step.start_ms
        self._previous = self._shown = ""
        self._eager = None

    async def _feed(self, speech: Speech) -> Heard | None:
        if self._origin_ms is None:
            self._origin_ms = speech.begin_ms
        self._utterance.feed(speech.samples)
        self._fed_to_ms = speech.end_ms
        if (
            not self._options.interim_results
            or self._eager is not None
            or self._fed_to_ms - self._partial_at_ms < _PARTIAL_EVERY_MS
        ):
            return None
        self._partial_at_ms = self._fed_to_ms
        return self._agreed(await self._utterance.partial())

    def _agreed(self, answer: Answer[Hypothesis]) -> Heard | None:
        """LocalAgreement-2: the words that two decodings in a row begin with; None where that is nothing new."""
        text = answer.value.text
        agreed = agreed_prefix(self._previous, text)
        self._previous = text
        if agreed == self._shown or agreed_prefix(self._shown, agreed) != self._shown:
            return None  # nothing new, or the engine takes back what was shown: then what is shown stays
        self._shown = agreed
        heard = self._heard(replace(answer.value, text=agreed, words=()), answer.backend, self._fed_to_ms)
        return replace(heard, stability=len(agreed) / len(text))

    async def _final(self, end_ms: float) -> Heard:
        """The eager transcript, at no further cost, where nothing was said after it."""
        heard = self._eager or await self._transcribe(end_ms)
        self._metrics.transcribed(heard.backend, heard.processing_ms / 1000, (end_ms - self._start_ms) / 1000)
        return replace(heard, is_final=True, end_ms=end_ms)

    async def _transcribe(self, end_ms: float) -> Heard:
        began = time.monotonic()
        answer = await self._utterance.transcript()
        processing_ms = (time.monotonic() - began) * 1000
        return replace(self._heard(answer.value, answer.backend, end_ms), processing_ms=processing_ms)

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
            words=tuple(_moved(hypothesis.words, self._origin_ms or 0.0)),
        )


def agreed_prefix(previous: str, current: str) -> str:
    """The words that both begin with."""
    agreed = []
    for one, other in zip(previous.split(), current.split(), strict=False):
        if one != other:
            break
        agreed.append(one)
    return " ".join(agreed)


def _moved(words: Iterable[HeardWord], by_ms: float) -> Iterable[HeardWord]:
    return (replace(word, start_ms=word.start_ms + by_ms, end_ms=word.end_ms + by_ms) for word in words)


def _coalesced(steps: list[Step]) -> list[Step]:
    """The same steps with less work: stretches of audio joined, pauses that are over already left out."""
    joined: list[Step] = []
    for step in _without_past_pauses(steps):
        last = joined[-1] if joined else None
        if isinstance(step, Speech) and isinstance(last, Speech):
            joined[-1] = Speech(np.concatenate([last.samples, step.samples]), last.begin_ms)
        else:
            joined.append(step)
    return joined


def _without_past_pauses(steps: list[Step]) -> list[Step]:
    kept: list[Step] = []
    for step in steps:
        paused = next((index for index in reversed(range(len(kept))) if isinstance(kept[index], Paused)), None)
        if isinstance(step, Resumed) and paused is not None:
            del kept[paused]
        else:
            kept.append(step)
    return kept
