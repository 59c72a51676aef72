"""The microphone of one conversation, and the ears that listen to it, through their failures."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass

import grpc

from services.common.audio import BYTES_PER_SAMPLE
from services.common.errors import CallError
from services.orchestrator.audio_clock import AudioClock
from services.orchestrator.inputs import MicrophoneAudio, SetMuted
from services.orchestrator.ports import Ears, SpeechEnded, SpeechHeard

_KEPT_S = 5  # what is older than that when the ears come back is no answer any more
_RETRY_S = 0.5
# The ears end a stream that is silent or too long; it is opened again with the next audio, which is no failure.
_ORDINARY_ENDS = ("STREAM_IDLE", "LIMIT_REACHED", "DRAINING")
# Asking again would not help: the client wants something, a language say, that the ears do not have.
_REFUSALS = (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.UNIMPLEMENTED)


@dataclass(frozen=True)
class UtteranceHeard:
    """The user said something. Moments are on time.monotonic()'s clock."""

    final: SpeechHeard
    ended_at: float
    decided_at: float


@dataclass(frozen=True)
class EarsFailed:
    """The ears do not work; they are tried again."""

    error: CallError


@dataclass(frozen=True)
class _Piece:
    """A message of audio, and when it came."""

    audio: bytes
    came_at: float


class Microphone:
    """Takes audio in and gives out what was heard."""

    def __init__(self, ears: Ears, sample_rate_hz: int, language_code: str) -> None:
        self._ears = ears
        self._rate_hz = sample_rate_hz
        self._language_code = language_code
        self._queue: asyncio.Queue[_Piece | None] = asyncio.Queue()
        self._waiting_bytes = 0
        self._kept_bytes = _KEPT_S * sample_rate_hz * BYTES_PER_SAMPLE
        self._has_ended = False
        self._muted = False

    def take(self, item: MicrophoneAudio | SetMuted) -> None:
        """More audio; silence takes its place while muted, so that the stream and its endpointing go on."""
        if isinstance(item, SetMuted):
            self._muted = item.muted
        elif not self._has_ended:
            audio = bytes(len(item.audio)) if self._muted else item.audio
            self._waiting_bytes += len(audio)
            self._queue.put_nowait(_Piece(audio, time.monotonic()))
            while self._waiting_bytes > self._kept_bytes and not self._queue.empty():
                self._taken(self._queue.get_nowait())

    def end(self) -> None:
        """No more audio comes."""
        if not self._has_ended:
            self._has_ended = True
            self._queue.put_nowait(None)

    async def heard(self) -> AsyncGenerator[SpeechHeard | UtteranceHeard | EarsFailed, None]:
        """Partial transcripts, whole utterances and failures, until the audio has ended. A refusal is raised."""
        failing = False
        while (first := self._taken(await self._queue.get())) is not None:
            try:
                async with aclosing(self._listen(first)) as events:
                    async for event in events:
                        failing = False
                        yield event
            except CallError as error:
                if error.status in _REFUSALS:
                    raise
                if error.detailed_reason not in _ORDINARY_ENDS:
                    if not failing:
                        yield EarsFailed(error)
                    failing = True
                    await asyncio.sleep(_RETRY_S)
            if self._has_ended and self._queue.empty():
                return

    def _taken(self, piece: "_Piece | None") -> "_Piece | None":
        """What left the queue, no longer counted in it."""
        if piece is not None:
            self._waiting_bytes -= len(piece.audio)
        return piece

    async def _listen(self, first: "_Piece") -> AsyncGenerator[SpeechHeard | UtteranceHeard, None]:
        clock = AudioClock(self._rate_hz)
        final: SpeechHeard | None = None
        audio = self._audio(first, clock)
        async with aclosing(self._ears.listen(audio, self._rate_hz, self._language_code)) as events:
            async for event in events:
                if isinstance(event, SpeechEnded):
                    if final is not None:
                        ended_at, decided_at = clock.moment_of(event.end_ms), clock.moment_of(event.endpoint_ms)
                        yield UtteranceHeard(final, ended_at, decided_at)
                    final = None
                elif event.is_final:
                    final = event
                else:
                    yield event

    async def _audio(self, first: "_Piece", clock: AudioClock) -> AsyncIterator[bytes]:
        piece: _Piece | None = first
        while piece is not None:
            clock.arrived(piece.audio, piece.came_at)
            yield piece.audio
            piece = self._taken(await self._queue.get())
