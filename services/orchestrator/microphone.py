"""The microphone of one conversation, and the ears that listen to it, through their failures.

Where a stream of the ears breaks off another one is opened, which is given again what that one had of an utterance that
is not over. So nothing is lost where others take over, or the same ones soon come back.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass, replace

import grpc

from services.common.errors import CallError, UnavailableError
from services.orchestrator.audio_clock import AudioClock
from services.orchestrator.ears_outage import EarsOutage
from services.orchestrator.inputs import MicrophoneAudio, SetMuted
from services.orchestrator.ports import (
    Ears,
    EarsEvent,
    EarsReady,
    SpeechEnded,
    SpeechHeard,
    SpeechPaused,
    SpeechResumed,
    SpeechStarted,
)
from services.orchestrator.recent_audio import RecentAudio

_OPEN_EVERY_S = 0.5  # at most: so ears that worked are tried again at once, others are not pestered
# Kept while nobody speaks: ears that froze are noticed after 3 s, and speech begins up to 1 s before it is told.
_KEPT_S = 4.0
# The ears end a stream that is silent or too long, and all when they go down; that is no failure.
_ORDINARY_ENDS = ("STREAM_IDLE", "LIMIT_REACHED", "DRAINING")
# Asking again would not help: the client wants something, a language say, that the ears do not have.
_REFUSALS = (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.UNIMPLEMENTED)


@dataclass(frozen=True)
class UtteranceBegan:
    """Somebody speaks. Utterances are numbered through the conversation; moments are on time.monotonic()'s clock."""

    utterance: int
    began_at: float


@dataclass(frozen=True)
class PartialHeard:
    """What was heard of an utterance so far."""

    utterance: int
    heard: SpeechHeard


@dataclass(frozen=True)
class UtterancePaused:
    """The speaker fell silent, perhaps for good; `heard` is what was said then, if anything was understood."""

    utterance: int
    heard: SpeechHeard | None
    ended_at: float


@dataclass(frozen=True)
class UtteranceResumed:
    """The speaker goes on."""

    utterance: int


@dataclass(frozen=True)
class UtteranceEnded:
    """The utterance is over."""

    utterance: int
    heard: SpeechHeard | None
    ended_at: float
    decided_at: float


@dataclass(frozen=True)
class EarsFailed:
    """The ears broke off: an utterance that had begun will not be told to end, and others are asked to hear it anew.

    Told once when they go, and again, with `lost_words`, each time that something was said which nobody will hear.
    """

    error: CallError
    lost_words: bool


@dataclass(frozen=True)
class EarsBack:
    """They listen again."""


UtteranceEvent = UtteranceBegan | PartialHeard | UtterancePaused | UtteranceResumed | UtteranceEnded
MicrophoneEvent = UtteranceEvent | EarsFailed | EarsBack


class Microphone:
    """Takes audio in and gives out what was heard."""

    def __init__(
        self,
        ears: Ears,
        sample_rate_hz: int,
        language_code: str,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._ears = ears
        self._rate_hz = sample_rate_hz
        self._language_code = language_code
        self._clock = clock
        self._sleep = sleep
        self._muted = False
        self._recent = RecentAudio(sample_rate_hz)
        self._stream = _Stream(0, AudioClock(sample_rate_hz))
        self._outage: EarsOutage | None = None

    def take(self, item: MicrophoneAudio | SetMuted) -> None:
        """More audio; silence takes its place while muted, so that the stream and its endpointing go on."""
        if isinstance(item, SetMuted):
            self._muted = item.muted
        else:
            self._recent.add(bytes(len(item.audio)) if self._muted else item.audio, self._clock())

    def end(self) -> None:
        """No more audio comes."""
        self._recent.end()

    async def heard(self) -> AsyncGenerator[MicrophoneEvent, None]:
        """What is heard, until the audio has ended. A refusal is raised."""
        while await self._recent.has_more():
            opened_at = self._clock()
            try:
                async with aclosing(self._listen()) as events:
                    async for event in events:
                        yield event
                if self._recent.is_over:
                    return
                raise UnavailableError("the ears ended their stream before the audio did", reason="STREAM_ENDED")
            except CallError as error:
                if error.status in _REFUSALS:
                    raise
                for told in self._broke_off(error):
                    yield told
            await self._sleep(max(0.0, opened_at + _OPEN_EVERY_S - self._clock()))

    async def _listen(self) -> AsyncGenerator[MicrophoneEvent, None]:
        self._stream = stream = _Stream(self._stream.last_utterance, AudioClock(self._rate_hz))
        audio = self._audio(stream)
        async with aclosing(self._ears.listen(audio, self._rate_hz, self._language_code)) as events:
            async for event in events:
                if isinstance(event, EarsReady):
                    for told in self._came_back():
                        yield told
                elif (utterance_event := stream.told(event)) is not None:
                    yield utterance_event
                if isinstance(event, SpeechEnded):
                    self._recent.forget(event.endpoint_ms)

    async def _audio(self, stream: "_Stream") -> AsyncIterator[bytes]:
        while (piece := await self._recent.give()) is not None:
            stream.clock.arrived(piece.audio, piece.came_at)
            if not stream.is_open:
                self._recent.forget_all_but(_KEPT_S)
            yield piece.audio

    def _came_back(self) -> Iterator[EarsFailed | EarsBack]:
        outage, self._outage = self._outage, None
        if outage is not None:
            outage.give_up_what_is_old(self._recent)
            if outage.has_lost_words:
                yield EarsFailed(outage.error, lost_words=True)
            yield EarsBack()

    def _broke_off(self, error: CallError) -> Iterator[EarsFailed]:
        was_open = self._stream.is_open
        if error.detailed_reason == "STREAM_IDLE":
            self._recent.forget_all_but(0.0)  # what comes after so long a silence is nothing that it continues
        is_whole = self._recent.rewind()
        if was_open or error.detailed_reason not in _ORDINARY_ENDS:
            is_new = self._outage is None
            outage = self._outage = self._outage or EarsOutage(error, was_open, self._clock)
            if was_open and not is_whole:
                outage.give_up(self._recent)  # perhaps it is this audio that they break over
            outage.give_up_what_is_old(self._recent)
            lost_words = outage.is_time_to_tell(self._recent)
            if is_new or lost_words:
                yield EarsFailed(error, lost_words)


class _Stream:
    """One stream of the ears: its numbers and times, made those of the conversation."""

    def __init__(self, utterances_before: int, clock: AudioClock) -> None:
        self._utterances_before = utterances_before
        self.last_utterance = utterances_before
        self.is_open = False  # the last utterance
        self.clock = clock
        self._final: SpeechHeard | None = None

    def told(self, event: EarsEvent) -> UtteranceEvent | None:
        """The event as the conversation knows it; None where there is nothing to tell yet."""
        match event:
            case SpeechStarted(_, start_ms):
                self.last_utterance, self.is_open = self._number(event), True
                return UtteranceBegan(self.last_utterance, self.clock.moment_of(start_ms))
            case SpeechHeard(is_final=True):
                self._final = self._renumbered(event)
            case SpeechHeard():
                return PartialHeard(self._number(event), self._renumbered(event))
            case SpeechPaused(_, end_ms, eager):
                heard = eager and self._renumbered(eager)
                return UtterancePaused(self._number(event), heard, self.clock.moment_of(end_ms))
            case SpeechResumed():
                return UtteranceResumed(self._number(event))
            case SpeechEnded():
                return self._ended(event)
        return None

    def _ended(self, event: SpeechEnded) -> UtteranceEnded:
        heard, self._final, self.is_open = self._final, None, False
        moments = self.clock.moment_of(event.end_ms), self.clock.moment_of(event.endpoint_ms)
        return UtteranceEnded(self._number(event), heard, *moments)

    def _number(self, event: SpeechStarted | SpeechHeard | SpeechPaused | SpeechResumed | SpeechEnded) -> int:
        return self._utterances_before + event.utterance

    def _renumbered(self, heard: SpeechHeard) -> SpeechHeard:
        return replace(heard, utterance=self._number(heard))
