"""services/common/streams.py."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from services.common.errors import InvalidInputError, LimitExceededError, OutOfRangeError
from services.common.streams import AudioLimits, AudioMeter, Messages, collect
from superwhisper.stt.v1 import stt_pb2
from tests.fakes.clock import FakeClock

_Request = stt_pb2.StreamingRecognizeRequest
_CONFIG = _Request(config=stt_pb2.StreamingRecognizeConfig())
_AUDIO = _Request(audio=b"\x00\x00")


async def _source(*messages: _Request) -> AsyncIterator[_Request]:
    for message in messages:
        yield message


def _messages(*messages: _Request) -> Messages[_Request]:
    return Messages(_source(*messages), idle_limit_s=20)


async def test_the_configuration_then_the_rest() -> None:
    messages = _messages(_CONFIG, _AUDIO, _AUDIO)
    assert await messages.first() == _CONFIG
    assert [message async for message in messages] == [_AUDIO, _AUDIO]


@pytest.mark.parametrize("first", [_AUDIO, _Request()])
async def test_anything_else_first_is_refused(first: _Request) -> None:
    with pytest.raises(InvalidInputError, match="first message") as caught:
        await _messages(first, _CONFIG).first()
    assert caught.value.field == "config"


async def test_a_stream_without_anything_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="ended before") as caught:
        await _messages().first()
    assert caught.value.field == "config"


async def test_the_configuration_comes_once() -> None:
    messages = _messages(_CONFIG, _AUDIO, _CONFIG)
    await messages.first()
    await anext(messages)
    with pytest.raises(InvalidInputError, match="already") as caught:
        await anext(messages)
    assert caught.value.field == "config"


async def test_an_empty_message_is_refused() -> None:
    messages = _messages(_CONFIG, _Request())
    await messages.first()
    with pytest.raises(InvalidInputError, match="empty") as caught:
        await anext(messages)
    assert caught.value.field == "payload"


@pytest.mark.parametrize("configured", [False, True])
async def test_a_caller_who_falls_silent_is_let_go(configured: bool) -> None:
    async def silent() -> AsyncIterator[_Request]:
        if configured:
            yield _CONFIG
        await asyncio.Event().wait()

    messages = Messages(silent(), idle_limit_s=0.02)
    if configured:
        await messages.first()
    with pytest.raises(LimitExceededError, match=r"no message came for 0\.02 s") as caught:
        await (anext(messages) if configured else messages.first())
    assert caught.value.detailed_reason == "STREAM_IDLE"


async def test_a_time_out_of_the_source_itself_is_not_taken_for_silence() -> None:
    async def broken() -> AsyncIterator[_Request]:
        for message in (_CONFIG, _AUDIO):
            if message is _AUDIO:
                raise TimeoutError("inside")
            yield message

    messages = Messages(broken(), idle_limit_s=20)
    await messages.first()
    with pytest.raises(TimeoutError, match="inside"):
        await anext(messages)


# Audio

_LIMITS = AudioLimits(message_bytes=1000, duration_s=10, pace=2, head_start_s=1)
_RATE_HZ = 1000  # a sample a millisecond makes the sums easy


def _pcm(milliseconds: int) -> bytes:
    return bytes(2 * milliseconds)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def meter(clock: FakeClock) -> AudioMeter:
    return AudioMeter(_RATE_HZ, _LIMITS, clock)


def test_audio_passes(meter: AudioMeter) -> None:
    assert meter.accept(b"\x01\x00\x02\x00").tolist() == [1, 2]
    assert meter.accept(b"").size == 0
    assert meter.accept(_pcm(500)).size == 500


def test_half_a_sample_is_refused(meter: AudioMeter) -> None:
    with pytest.raises(InvalidInputError, match="16-bit") as caught:
        meter.accept(b"abc")
    assert caught.value.field == "audio"


def test_a_message_may_be_as_large_as_the_limit(meter: AudioMeter) -> None:
    meter.accept(bytes(1000))
    with pytest.raises(OutOfRangeError, match="1002 bytes in one message; the limit is 1000") as caught:
        meter.accept(bytes(1002))
    assert caught.value.field == "audio"


def test_a_stream_may_be_as_long_as_the_limit(meter: AudioMeter, clock: FakeClock) -> None:
    clock.advance(1000)
    for _ in range(20):
        meter.accept(_pcm(500))
    with pytest.raises(OutOfRangeError, match="longer than 10 s"):
        meter.accept(_pcm(1))


def test_audio_may_not_come_faster_than_the_limit(meter: AudioMeter, clock: FakeClock) -> None:
    for _ in range(2):
        meter.accept(_pcm(500))  # the head start
    with pytest.raises(LimitExceededError, match="faster than 2 times") as caught:
        meter.accept(_pcm(1))
    assert caught.value.detailed_reason == "AUDIO_TOO_FAST"
    assert caught.value.field == "audio"


def test_twice_as_fast_as_real_time_is_allowed_for_ever(meter: AudioMeter, clock: FakeClock) -> None:
    for _ in range(20):
        meter.accept(_pcm(500))
        clock.advance(0.25)


# Files in pieces


async def _pieces(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def test_pieces_are_joined() -> None:
    assert await collect(_pieces(b"ab", b"", b"cd"), 4, 2) == b"abcd"


@pytest.mark.parametrize("pieces", [(b"abc",), (b"ab", b"cd", b"e")])
async def test_too_much_is_refused(pieces: tuple[bytes, ...]) -> None:
    with pytest.raises(OutOfRangeError) as caught:
        await collect(_pieces(*pieces), 4, 2)
    assert caught.value.field == "audio"
