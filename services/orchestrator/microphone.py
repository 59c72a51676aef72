"""The microphone of one conversation, and the ears that listen to it, through their failures.

Where a stream of the ears breaks off another one is opened, which is given again what that one had of an utterance that
is not over. So where others take over, or the same ones soon come back, nothing is lost of what was said in the last
nine seconds; an utterance that began before is not answered by half, but has to be said again.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass, replace

import grpc

from services.common.errors import CallError, UnavailableError
from services.orchestrator.audio_clock import AudioClock
from services.orchestrator.ears_feed import EarsFeed
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
_IDLE = "STREAM_IDLE"
_ORDINARY_ENDS = (_IDLE, "LIMIT_REACHED", "DRAINING")
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

    Told once when they go, and again, with `lost_words`, when something was said which nobody will hear.
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
        self._feed = EarsFeed(self._recent, sample_rate_hz, clock, sleep)
        self._stream = _Stream(0, AudioClock(sample_rate_hz))
        self._outage = EarsOutage(self._recent, clock)

    def take(self, item: MicrophoneAudio | SetMuted) -> None:
        """More audio; silence takes its place while muted, so that the stream and its endpointing go on."""
        if isinstance(item, SetMuted):
            self._muted = item.muted
        else:
            self._feed.take(bytes(len(item.audio)) if self._muted else item.audio)

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
                if isinstance(event, SpeechStarted):
                    self._outage.forget_cut_off()
                elif isinstance(event, SpeechEnded):
                    self._recent.forget(event.endpoint_ms)

    async def _audio(self, stream: "_Stream") -> AsyncIterator[bytes]:
        async with aclosing(self._feed.pieces(lambda: stream.is_open)) as pieces:
            async for piece in pieces:
                stream.clock.arrived(piece.audio, piece.came_at)
                if not stream.is_open:
                    self._recent.forget_all_but(_KEPT_S)
                yield piece.audio

    def _came_back(self) -> Iterator[EarsFailed | EarsBack]:
        if (error := self._outage.error) is not None:
            if self._outage.end():
                yield EarsFailed(error, lost_words=True)
            yield EarsBack()

    def _broke_off(self, error: CallError) -> Iterator[EarsFailed]:
        was_idle = error.detailed_reason == _IDLE
        is_cut_off = self._outage.broke_off(self._stream.open_since_ms, was_idle=was_idle)
        if is_cut_off and was_idle:
            self._outage.forget_cut_off()
            yield EarsFailed(error, lost_words=True)
        elif is_cut_off or error.detailed_reason not in _ORDINARY_ENDS:
            is_new = self._outage.begin(error)
            lost_words = self._outage.is_time_to_tell()
            if is_new or lost_words:
                yield EarsFailed(error, lost_words)


class _Stream:
    """One stream of the ears: its numbers and times, made those of the conversation."""

    def __init__(self, utterances_before: int, clock: AudioClock) -> None:
        self._utterances_before = utterances_before
        self.last_utterance = utterances_before
        self.open_since_ms: float | None = None  # while there is an utterance: where it began
        self.clock = clock
        self._final: SpeechHeard | None = None

    @property
    def is_open(self) -> bool:
        """Whether there is an utterance that is not over."""
        return self.open_since_ms is not None

    def told(self, event: EarsEvent) -> UtteranceEvent | None:
        """The event as the conversation knows it; None where there is nothing to tell yet."""
        match event:
            case SpeechStarted(_, start_ms):
                self.last_utterance, self.open_since_ms = self._number(event), start_ms
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
        heard, self._final, self.open_since_ms = self._final, None, None
        moments = self.clock.moment_of(event.end_ms), self.clock.moment_of(event.endpoint_ms)
        return UtteranceEnded(self._number(event), heard, *moments)

    def _number(self, event: SpeechStarted | SpeechHeard | SpeechPaused | SpeechResumed | SpeechEnded) -> int:
        return self._utterances_before + event.utterance

    def _renumbered(self, heard: SpeechHeard) -> SpeechHeard:
        return replace(heard, utterance=self._number(heard))
