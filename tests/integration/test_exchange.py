"""services/common/exchange.py: streams to other services, over real sockets."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from contextlib import aclosing

import grpc
import pytest

from services.common.errors import InvalidInputError
from services.common.exchange import exchange
from services.common.status import from_rpc_error
from superwhisper.tts.v1 import tts_pb2
from tests.support.scripted import LIMIT_S, Context, Requests, channel_to, for_ever, scripted_service, stub_for
from tests.support.servers import serving
from tests.support.waiting import wait_until

_Request = tts_pb2.StreamingSynthesizeRequest
_Response = tts_pb2.StreamingSynthesizeResponse
_Speech = AsyncGenerator[_Response, None]


class Feed:
    """Requests as fast as they are taken, and whether somebody put an end to them."""

    def __init__(self, count: float = float("inf"), *, error: Exception | None = None) -> None:
        self.given = 0
        self.is_closed = False
        self._count = count
        self._error = error

    async def __call__(self) -> AsyncGenerator[_Request, None]:
        try:
            while self.given < self._count:
                self.given += 1
                yield _Request(text_delta="x" * 4096)
            if self._error is not None:
                raise self._error
        finally:
            await asyncio.sleep(0)  # a clean-up that must be awaited
            self.is_closed = True


async def test_all_requests_go_out_and_all_responses_come_back() -> None:
    async def duplex(requests: Requests, context: Context) -> _Speech:
        async for request in requests:
            yield _Response(started=tts_pb2.SynthesisStarted(voice=request.text_delta[:1]))

    feed = Feed(5)
    async with serving(scripted_service(duplex=duplex)) as address, channel_to(address) as channel:
        call = stub_for(channel).StreamingSynthesize(timeout=LIMIT_S)
        assert [response.started.voice async for response in exchange(call, feed())] == ["x"] * 5
    assert feed.is_closed


async def test_the_status_that_the_server_sent_is_told_however_fast_the_client_sends() -> None:
    """grpc.aio tells INTERNAL, "Internal error from Core", nine times of ten."""

    async def duplex(requests: Requests, context: Context) -> _Speech:
        yield _Response()
        await anext(aiter(requests))
        raise InvalidInputError("text_delta", "enough of that")

    async with serving(scripted_service(duplex=duplex)) as address, channel_to(address) as channel:
        for _ in range(20):
            feed = Feed()
            call = stub_for(channel).StreamingSynthesize(timeout=LIMIT_S)
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                async for _ in exchange(call, feed()):
                    pass
            error = from_rpc_error(caught.value, "tts")
            assert (error.status, error.field) == (grpc.StatusCode.INVALID_ARGUMENT, "text_delta")
            given = feed.given
            assert feed.is_closed
            await asyncio.sleep(0)
            assert feed.given == given  # nobody takes from it any more


@pytest.mark.parametrize("error", [None, InvalidInputError("text_delta", "enough of that")])
async def test_what_was_sent_before_the_end_is_read_however_slowly(error: Exception | None) -> None:
    """A call whose write has failed passes for done, and its `read` for one that has nothing more to give."""
    messages = 20

    async def duplex(requests: Requests, context: Context) -> _Speech:
        await anext(aiter(requests))
        for _ in range(messages):
            yield _Response()
        if error is not None:
            raise error

    async with serving(scripted_service(duplex=duplex)) as address, channel_to(address) as channel:
        feed = Feed()
        read: list[_Response] = []
        with contextlib.suppress(grpc.aio.AioRpcError) if error else contextlib.nullcontext():
            async for response in exchange(stub_for(channel).StreamingSynthesize(timeout=LIMIT_S), feed()):
                read.append(response)
                await wait_until(lambda: feed.is_closed, "the writer to learn that the call is over")
    assert len(read) == messages


async def test_a_server_that_has_heard_enough_ends_the_stream_well() -> None:
    async def duplex(requests: Requests, context: Context) -> _Speech:
        await anext(aiter(requests))
        yield _Response()

    async with serving(scripted_service(duplex=duplex)) as address, channel_to(address) as channel:
        for _ in range(10):
            feed = Feed()
            call = stub_for(channel).StreamingSynthesize(timeout=LIMIT_S)
            assert len([response async for response in exchange(call, feed())]) == 1
            assert feed.is_closed


async def test_a_reader_who_leaves_ends_the_call_on_both_sides() -> None:
    ended = asyncio.Event()

    async def duplex(requests: Requests, context: Context) -> _Speech:
        try:
            yield _Response()
            await for_ever()
        finally:
            ended.set()

    feed = Feed()
    async with serving(scripted_service(duplex=duplex)) as address, channel_to(address) as channel:
        call = stub_for(channel).StreamingSynthesize(timeout=LIMIT_S)
        async with aclosing(exchange(call, feed())) as responses:
            await anext(responses)
        assert feed.is_closed
        await wait_until(ended.is_set, "the end of the handler")


async def test_a_reader_who_leaves_ends_a_call_that_only_answers_too() -> None:
    ended = asyncio.Event()

    async def many(
        request: tts_pb2.SynthesizeRequest, context: Context
    ) -> AsyncGenerator[tts_pb2.SynthesizeResponse, None]:
        try:
            yield tts_pb2.SynthesizeResponse()
            await for_ever()
        finally:
            ended.set()

    async with serving(scripted_service(many=many)) as address, channel_to(address) as channel:
        call = stub_for(channel).Synthesize(tts_pb2.SynthesizeRequest(text="hello"), timeout=LIMIT_S)
        async with aclosing(exchange(call)) as responses:
            await anext(responses)
        await wait_until(ended.is_set, "the end of the handler")


async def test_a_cancelled_reader_ends_the_call_on_both_sides() -> None:
    began, ended = asyncio.Event(), asyncio.Event()

    async def many(
        request: tts_pb2.SynthesizeRequest, context: Context
    ) -> AsyncGenerator[tts_pb2.SynthesizeResponse, None]:
        try:
            began.set()
            await for_ever()
            yield tts_pb2.SynthesizeResponse()
        finally:
            ended.set()

    async with serving(scripted_service(many=many)) as address, channel_to(address) as channel:
        call = stub_for(channel).Synthesize(tts_pb2.SynthesizeRequest(text="hello"), timeout=LIMIT_S)

        async def read() -> None:
            async for _ in exchange(call):
                pass

        reader = asyncio.create_task(read())
        await began.wait()
        reader.cancel()
        await asyncio.wait([reader])
        assert reader.cancelled()
        await wait_until(ended.is_set, "the end of the handler")


async def test_what_breaks_the_requests_is_told_to_the_reader_and_ends_the_call() -> None:
    ended = asyncio.Event()

    async def duplex(requests: Requests, context: Context) -> _Speech:
        try:
            async for _ in requests:
                yield _Response()
            await for_ever()
        finally:
            ended.set()

    feed = Feed(3, error=OSError("the microphone was unplugged"))
    async with serving(scripted_service(duplex=duplex)) as address, channel_to(address) as channel:
        call = stub_for(channel).StreamingSynthesize(timeout=LIMIT_S)
        async with asyncio.timeout(LIMIT_S / 2) as bound:
            with pytest.raises(OSError, match="unplugged"):
                async for _ in exchange(call, feed()):
                    pass
        assert not bound.expired()
        await wait_until(ended.is_set, "the end of the handler")
    assert feed.is_closed
