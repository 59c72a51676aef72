"""Errors on the wire: what a handler raises, what a caller gets, and what a broken message comes to."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import grpc
import pytest

from services.common.errors import (
    CallAbortedError,
    CallError,
    DeadlineError,
    EngineFailedError,
    InternalError,
    InvalidInputError,
    LimitExceededError,
    NotFoundError,
    OutOfRangeError,
    UnauthenticatedError,
    UnavailableError,
    UnsupportedError,
)
from services.common.status import from_rpc_error
from superwhisper.tts.v1 import tts_pb2
from tests.support.scripted import LIMIT_S, Context, Requests, channel_to, scripted_service, stub_for
from tests.support.servers import free_port, serving

_VOICES = tts_pb2.ListVoicesRequest()
_TEXT = tts_pb2.SynthesizeRequest(text="hello")

_ERRORS = [
    InvalidInputError("audio_format.sample_rate_hz", "7 is not between 8000 and 48000 Hz"),
    UnsupportedError("nobody here can do that"),
    OutOfRangeError("text: 9 characters; the limit is 8", field="text"),
    NotFoundError("no such voice"),
    UnauthenticatedError("no token"),
    LimitExceededError("too fast", field="audio", reason="AUDIO_TOO_FAST"),
    DeadlineError("too late"),
    CallAbortedError("cancelled inside"),
    UnavailableError("no engine"),
    EngineFailedError("it broke"),
    InternalError("a bug"),
    InvalidInputError("text", "« l'été » — 日本語 👋\nsecond line, 100 %"),
]


async def _told(error: CallError) -> grpc.aio.AioRpcError:
    async def once(request: tts_pb2.ListVoicesRequest, context: Context) -> tts_pb2.ListVoicesResponse:
        raise error

    async with serving(scripted_service(once=once)) as address, channel_to(address) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub_for(channel).ListVoices(_VOICES, timeout=LIMIT_S)
    return caught.value


def _content(error: CallError) -> tuple[object, ...]:
    return error.status, error.message, error.detailed_reason, error.retryable, error.field


@pytest.mark.parametrize("error", _ERRORS, ids=lambda error: type(error).__name__)
async def test_an_error_arrives_as_it_was_raised(error: CallError) -> None:
    assert _content(from_rpc_error(await _told(error), "tts")) == _content(error)


async def test_an_error_passes_through_a_second_service_as_it_was() -> None:
    error = LimitExceededError("too fast", field="audio", reason="AUDIO_TOO_FAST")

    async def behind(request: tts_pb2.ListVoicesRequest, context: Context) -> tts_pb2.ListVoicesResponse:
        raise error

    async with serving(scripted_service(once=behind)) as far, channel_to(far) as far_channel:

        async def before(request: tts_pb2.ListVoicesRequest, context: Context) -> tts_pb2.ListVoicesResponse:
            return await stub_for(far_channel).ListVoices(request, timeout=LIMIT_S)

        async with serving(scripted_service(once=before)) as near, channel_to(near) as channel:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await stub_for(channel).ListVoices(_VOICES, timeout=LIMIT_S)
    assert _content(from_rpc_error(caught.value, "near")) == _content(error)


async def test_a_very_long_message_still_arrives_with_its_status() -> None:
    """gRPC refuses metadata beyond 8 KiB, and the caller would see that instead of the error."""
    error = NotFoundError("é" * 20_000, field="voice")
    received = from_rpc_error(await _told(error), "tts")
    assert received.status is grpc.StatusCode.NOT_FOUND
    assert received.detailed_reason == "NOT_FOUND"
    assert received.message.startswith("ééé")


async def test_nobody_there_is_a_lost_connection() -> None:
    async with channel_to(f"127.0.0.1:{free_port()}") as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub_for(channel).ListVoices(_VOICES, timeout=LIMIT_S)
    error = from_rpc_error(caught.value, "the mouth")
    assert error.status is grpc.StatusCode.UNAVAILABLE
    assert error.detailed_reason == "CONNECTION_LOST"
    assert error.retryable
    assert error.message.startswith("the mouth does not answer")


async def test_a_status_without_details_is_understood() -> None:
    async with serving(scripted_service()) as address, channel_to(address) as channel:
        call: Any = channel.unary_unary("/superwhisper.tts.v1.TtsService/NoSuchMethod")
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call(b"", timeout=LIMIT_S)
    error = from_rpc_error(caught.value, "tts")
    assert (error.status, error.detailed_reason, error.retryable) == (
        grpc.StatusCode.UNIMPLEMENTED,
        "UNIMPLEMENTED",
        False,
    )


async def test_the_error_of_a_task_group_is_told_as_what_it_is() -> None:
    async def fail() -> None:
        raise InvalidInputError("text", "is empty")

    async def once(request: tts_pb2.ListVoicesRequest, context: Context) -> tts_pb2.ListVoicesResponse:
        async with asyncio.TaskGroup() as group:
            group.create_task(fail())
        return tts_pb2.ListVoicesResponse()

    async with serving(scripted_service(once=once)) as address, channel_to(address) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub_for(channel).ListVoices(_VOICES, timeout=LIMIT_S)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_what_came_before_the_error_arrives() -> None:
    async def many(
        request: tts_pb2.SynthesizeRequest, context: Context
    ) -> AsyncGenerator[tts_pb2.SynthesizeResponse, None]:
        yield tts_pb2.SynthesizeResponse(audio=tts_pb2.AudioChunk(piece=1))
        yield tts_pb2.SynthesizeResponse(audio=tts_pb2.AudioChunk(piece=2))
        raise EngineFailedError("it broke")

    async with serving(scripted_service(many=many)) as address, channel_to(address) as channel:
        call = stub_for(channel).Synthesize(_TEXT, timeout=LIMIT_S)
        assert [(await anext(aiter(call))).audio.piece for _ in range(2)] == [1, 2]
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await anext(aiter(call))
    assert from_rpc_error(caught.value, "tts").detailed_reason == "ENGINE_FAILED"


# Messages that are none

_NOT_UTF8 = tts_pb2.SynthesizeRequest(text="aaaa").SerializeToString().replace(b"aaaa", b"a\xff\xfeb")
_CUT_SHORT = tts_pb2.SynthesizeRequest(text="a long text").SerializeToString()[:-4]
_NONSENSE = b"\xff" * 20


@pytest.mark.parametrize("message", [_NOT_UTF8, _CUT_SHORT, _NONSENSE], ids=["not UTF-8", "cut short", "nonsense"])
async def test_a_broken_message_is_refused_and_the_server_lives(message: bytes) -> None:
    begun = False

    async def many(
        request: tts_pb2.SynthesizeRequest, context: Context
    ) -> AsyncGenerator[tts_pb2.SynthesizeResponse, None]:
        nonlocal begun
        begun = True
        yield tts_pb2.SynthesizeResponse()

    async with serving(scripted_service(many=many)) as address, channel_to(address) as channel:
        raw: Any = channel.unary_stream("/superwhisper.tts.v1.TtsService/Synthesize")
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            async for _ in raw(message, timeout=LIMIT_S):
                pass
        _check_refused(caught.value)
        assert not begun
        await stub_for(channel).ListVoices(_VOICES, timeout=LIMIT_S)


async def test_a_broken_message_inside_a_stream_is_refused_and_the_server_lives() -> None:
    async def duplex(requests: Requests, context: Context) -> AsyncGenerator[tts_pb2.StreamingSynthesizeResponse, None]:
        async for _ in requests:
            yield tts_pb2.StreamingSynthesizeResponse()

    async with serving(scripted_service(duplex=duplex)) as address, channel_to(address) as channel:
        call: Any = channel.stream_stream("/superwhisper.tts.v1.TtsService/StreamingSynthesize")(timeout=LIMIT_S)
        await call.write(tts_pb2.StreamingSynthesizeRequest(text_delta="good").SerializeToString())
        assert await call.read() == b""
        await call.write(_NONSENSE)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call.read()
        _check_refused(caught.value)
        await stub_for(channel).ListVoices(_VOICES, timeout=LIMIT_S)


def _check_refused(error: grpc.aio.AioRpcError) -> None:
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "Traceback" not in (error.details() or "")
    assert "DecodeError" not in (error.details() or "")
    assert from_rpc_error(error, "tts").detailed_reason == "INVALID_INPUT"


async def test_a_message_that_is_too_large_is_refused_and_the_server_lives() -> None:
    async with serving(scripted_service()) as address, channel_to(address) as channel:
        raw: Any = channel.unary_unary("/superwhisper.tts.v1.TtsService/ListVoices")
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await raw(bytes(34 * 1024 * 1024), timeout=LIMIT_S)
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        await stub_for(channel).ListVoices(_VOICES, timeout=LIMIT_S)
