"""Incoming streams, bounded: first the configuration, then payload, never too much, too fast or too quiet."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from services.common.audio import Samples, decode_pcm
from services.common.errors import InvalidInputError, LimitExceededError, OutOfRangeError


class Request(Protocol):
    """A stream's message: a oneof named `payload` whose first field is `config`."""

    def WhichOneof(self, oneof_group: Any, /) -> Any:  # noqa: N802  # protobuf's name; the stubs allow only literals
        """The field that is set."""


RequestT = TypeVar("RequestT", bound=Request)


class Messages(AsyncIterator[RequestT]):
    """The messages of a stream. The first must be the configuration, and only the first; each must come in time."""

    def __init__(self, source: AsyncIterator[RequestT], idle_limit_s: float) -> None:
        self._source = source
        self._idle_limit_s = idle_limit_s

    async def first(self) -> RequestT:
        """The configuration."""
        try:
            message = await self._next()
        except StopAsyncIteration:
            raise InvalidInputError("config", "the stream ended before its configuration") from None
        if message.WhichOneof("payload") != "config":
            raise InvalidInputError("config", "the first message of the stream must be the configuration")
        return message

    async def __anext__(self) -> RequestT:
        message = await self._next()
        kind = message.WhichOneof("payload")
        if kind is None:
            raise InvalidInputError("payload", "the message is empty")
        if kind == "config":
            raise InvalidInputError("config", "the configuration was given already; it cannot change in a stream")
        return message

    async def _next(self) -> RequestT:
        idle = asyncio.timeout(self._idle_limit_s)
        try:
            async with idle:
                return await anext(self._source)
        except TimeoutError:
            if not idle.expired():
                raise
            raise LimitExceededError(f"no message came for {self._idle_limit_s:g} s", reason="STREAM_IDLE") from None


@dataclass(frozen=True)
class AudioLimits:
    """How much audio a stream may carry."""

    message_bytes: int = 64 * 1024
    duration_s: float = 3600.0
    pace: float = 2.0
    # What a caller may send at once: what it recorded while it waited for the stream to open.
    head_start_s: float = 10.0


class AudioMeter:
    """Checks each audio message of a stream, and counts."""

    def __init__(self, sample_rate_hz: int, limits: AudioLimits, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = sample_rate_hz
        self._limits = limits
        self._clock = clock
        self._began = clock()
        self._samples = 0

    def accept(self, audio: bytes) -> Samples:
        """The samples of the message, or the error that says which limit it breaks."""
        if len(audio) > self._limits.message_bytes:
            raise OutOfRangeError(
                f"audio: {len(audio)} bytes in one message; the limit is {self._limits.message_bytes}", field="audio"
            )
        samples = decode_pcm(audio, "audio")
        self._samples += samples.size
        received_s = self._samples / self._rate
        if received_s > self._limits.duration_s:
            raise OutOfRangeError(
                f"audio: the stream is longer than {self._limits.duration_s:g} s; open a new one", field="audio"
            )
        if received_s > self._limits.head_start_s + self._limits.pace * (self._clock() - self._began):
            raise LimitExceededError(
                f"audio: it comes faster than {self._limits.pace:g} times real time; send recordings to Recognize",
                field="audio",
                reason="AUDIO_TOO_FAST",
            )
        return samples


async def collect(messages: AsyncIterator[bytes], limit_bytes: int, message_limit_bytes: int) -> bytes:
    """The pieces of a file joined, if they are not too many."""
    content = bytearray()
    async for piece in messages:
        if len(piece) > message_limit_bytes:
            raise OutOfRangeError(
                f"audio: {len(piece)} bytes in one message; the limit is {message_limit_bytes}", field="audio"
            )
        content += piece
        if len(content) > limit_bytes:
            raise OutOfRangeError(f"audio: the recording is larger than {limit_bytes} bytes", field="audio")
    return bytes(content)
