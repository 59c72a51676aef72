"""What grpcio does unless it is told otherwise: each trap that was measured has its test here, over real sockets."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path

import grpc
import pytest

from services.common.channels import CHANNEL_OPTIONS, SERVER_OPTIONS
from services.common.errors import PortInUseError, UnavailableError
from services.common.lifecycle import MethodLimits
from services.common.status import from_rpc_error
from services.common.threads import run_blocking
from superwhisper.tts.v1 import tts_pb2
from tests.support.health import SERVING, check
from tests.support.scripted import LIMIT_S, Context, channel_to, for_ever, scripted_service, stub_for
from tests.support.servers import child_python, child_service, free_port, loopback, serving, start_and_stop
from tests.support.waiting import wait_until

_VOICES = tts_pb2.ListVoicesRequest()
_TEXT = tts_pb2.SynthesizeRequest(text="hello")
_CHUNK = tts_pb2.SynthesizeResponse(audio=tts_pb2.AudioChunk(audio=bytes(4096)))
# What keepalive and ping time-out of a second each come to, many times over; without them it is a minute.
_FROZEN_BOUND_S = 12.0
_Speech = AsyncGenerator[tts_pb2.SynthesizeResponse, None]


async def _read_all(call: AsyncIterable[object]) -> int:
    return len([response async for response in call])


class _Stream:
    """A handler of Synthesize that tells how far it is and whether it was cleaned up."""

    def __init__(self, chunk: tts_pb2.SynthesizeResponse = _CHUNK, *, chunks: float = float("inf")) -> None:
        self.begun = 0
        self.yielded = 0
        self.moved = asyncio.Event()
        self.cleaned = asyncio.Event()
        self._chunk = chunk
        self._chunks = chunks

    async def __call__(self, request: tts_pb2.SynthesizeRequest, context: Context) -> _Speech:
        self.begun += 1
        try:
            while self.yielded < self._chunks:
                self.yielded += 1
                self.moved.set()
                yield self._chunk
            await for_ever()
        finally:
            await asyncio.sleep(0)  # a clean-up that must be awaited
            self.cleaned.set()


# Cancellation


async def test_an_inner_cancellation_reaches_the_client_as_aborted() -> None:
    """Without the guard the client would wait for a status for ever."""

    async def once(request: tts_pb2.ListVoicesRequest, context: Context) -> tts_pb2.ListVoicesResponse:
        inner = asyncio.create_task(for_ever())
        asyncio.get_running_loop().call_soon(inner.cancel)
        await inner
        return tts_pb2.ListVoicesResponse()

    async def many(request: tts_pb2.SynthesizeRequest, context: Context) -> _Speech:
        yield _CHUNK
        raise asyncio.CancelledError

    async with serving(scripted_service(once=once, many=many)) as address, channel_to(address) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub_for(channel).ListVoices(_VOICES, timeout=LIMIT_S)
        assert caught.value.code() is grpc.StatusCode.ABORTED
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await _read_all(stub_for(channel).Synthesize(_TEXT, timeout=LIMIT_S))
        assert caught.value.code() is grpc.StatusCode.ABORTED


async def test_cleaned_up_when_the_client_cancels_while_a_write_is_blocked() -> None:
    """The handler sees an internal error of gRPC then, or nothing at all; only its `finally` is sure."""
    large = tts_pb2.SynthesizeResponse(audio=tts_pb2.AudioChunk(audio=bytes(1024 * 1024)))  # more than any window
    handler = _Stream(large)
    async with serving(scripted_service(many=handler)) as address, channel_to(address) as channel:
        call = stub_for(channel).Synthesize(_TEXT, timeout=LIMIT_S)
        await wait_until(lambda: handler.yielded > 0, "the write")
        call.cancel()
        await wait_until(handler.cleaned.is_set, "the handler's clean-up")
    assert handler.yielded <= 2


async def test_cleaned_up_when_the_client_cancels_while_the_handler_waits() -> None:
    handler = _Stream(chunks=1)
    async with serving(scripted_service(many=handler)) as address, channel_to(address) as channel:
        call = stub_for(channel).Synthesize(_TEXT, timeout=LIMIT_S)
        await call.read()
        call.cancel()
        await wait_until(handler.cleaned.is_set, "the handler's clean-up")


async def test_cleaned_up_when_the_client_cancels_a_stream_that_never_waits() -> None:
    """The handler is suspended at `yield` when the cancellation comes: gRPC alone would leave it to the collector."""
    handler = _Stream()
    async with serving(scripted_service(many=handler)) as address, channel_to(address) as channel:
        call = stub_for(channel).Synthesize(_TEXT, timeout=LIMIT_S)
        for _ in range(20):
            await call.read()
        call.cancel()
        await wait_until(handler.cleaned.is_set, "the handler's clean-up")


async def test_the_thread_of_a_cancelled_call_stops() -> None:
    began, stopped = threading.Event(), threading.Event()

    def work(stop: threading.Event) -> None:
        began.set()
        if stop.wait(LIMIT_S):
            stopped.set()

    with ThreadPoolExecutor(1) as executor:

        async def once(request: tts_pb2.ListVoicesRequest, context: Context) -> tts_pb2.ListVoicesResponse:
            await run_blocking(executor, work)
            return tts_pb2.ListVoicesResponse()

        async with serving(scripted_service(once=once)) as address, channel_to(address) as channel:
            call = stub_for(channel).ListVoices(_VOICES, timeout=LIMIT_S)
            await wait_until(began.is_set, "the thread's work")
            call.cancel()
            await wait_until(stopped.is_set, "the end of the thread's work")


# Flow control and frozen peers


async def test_a_client_that_does_not_read_holds_the_server_back() -> None:
    """Untold, gRPC lets the server push 4 MB, a minute and a half of audio that nobody may want to hear any more."""
    handler = _Stream()
    bound = 512 * 1024

    async def stalls() -> bool:
        """Whether a write does not return any more, before the bound."""
        while handler.yielded * 4096 < bound:
            handler.moved.clear()
            try:
                await asyncio.wait_for(handler.moved.wait(), 1)
            except TimeoutError:
                return True
        return False

    async with serving(scripted_service(many=handler)) as address, channel_to(address) as channel:
        call = stub_for(channel).Synthesize(_TEXT, timeout=LIMIT_S)
        await wait_until(lambda: handler.yielded > 0, "the first write")
        assert await stalls()
        stalled_at = handler.yielded
        for _ in range(stalled_at):
            await call.read()
        await wait_until(lambda: handler.yielded > stalled_at, "more, once the client reads")
        call.cancel()


async def test_a_client_that_never_reads_again_is_let_go() -> None:
    handler = _Stream()
    service = scripted_service(many=handler, limits={"Synthesize": MethodLimits(LIMIT_S, 1)})
    async with serving(service, loopback(unread_limit_s=0.2)) as address, channel_to(address) as channel:
        idle = stub_for(channel).Synthesize(_TEXT, timeout=LIMIT_S)
        await wait_until(handler.cleaned.is_set, "the stream to be given up")
        other = stub_for(channel).Synthesize(_TEXT, timeout=LIMIT_S)  # its place is free again
        assert await other.read() is not grpc.aio.EOF
        other.cancel()
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            [_ async for _ in idle]
        assert from_rpc_error(caught.value, "tts").detailed_reason == "NOT_READ"


async def test_a_frozen_server_is_noticed_before_and_inside_of_an_answer() -> None:
    async with child_service("tts") as tts, channel_to(tts.address) as channel:
        stub = stub_for(channel)
        speech = stub.StreamingSynthesize(timeout=60)
        await speech.write(tts_pb2.StreamingSynthesizeRequest(config=tts_pb2.StreamingSynthesizeConfig()))
        await speech.write(tts_pb2.StreamingSynthesizeRequest(text_delta="A first clause, and then"))
        await speech.read()
        tts.freeze()
        voices = stub.ListVoices(_VOICES, timeout=60)

        async def rest() -> None:
            while await speech.read() is not grpc.aio.EOF:
                pass

        async def status_of(answer: Awaitable[object]) -> grpc.StatusCode | None:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await answer
            return caught.value.code()

        async with asyncio.timeout(_FROZEN_BOUND_S):
            assert await status_of(rest()) is grpc.StatusCode.UNAVAILABLE
            assert await status_of(voices) is grpc.StatusCode.UNAVAILABLE


async def test_a_frozen_client_is_noticed_and_its_handler_ended() -> None:
    handler = _Stream(chunks=1)
    async with serving(scripted_service(many=handler)) as address:
        with child_python("client", ["-m", "tests.support.listening_client", address]) as client:
            await wait_until(lambda: handler.yielded > 0, f"the call\n{client.output()}")
            client.freeze()
            await wait_until(handler.cleaned.is_set, "the end of the handler", _FROZEN_BOUND_S)


async def test_a_silent_stream_is_not_taken_for_an_attack() -> None:
    """A server takes the third ping without data in between for one, and cuts the connection, unless told otherwise."""
    handler = _Stream(chunks=1)
    async with serving(scripted_service(many=handler)) as address, channel_to(address) as channel:
        call = stub_for(channel).Synthesize(_TEXT, timeout=LIMIT_S)
        await call.read()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(handler.cleaned.wait(), timeout=6)  # six pings, one a second
        assert not call.done()
        assert not handler.cleaned.is_set()
        call.cancel()


def test_every_option_is_one_that_grpc_knows() -> None:
    """It ignores those that it does not know, as a misspelt one has shown."""
    library = Path(str(import_module("grpc._cython.cygrpc").__file__)).read_bytes()
    names = {name for name, _ in (*SERVER_OPTIONS, *CHANNEL_OPTIONS)}
    assert len(names) > 10
    assert {name for name in names if name.encode() + b"\0" not in library} == set()


# Admission and ports


async def test_a_full_service_refuses_calls_but_never_health_checks() -> None:
    handler = _Stream(chunks=1)
    limits = {"Synthesize": MethodLimits(LIMIT_S, concurrent=1)}
    async with serving(scripted_service(many=handler, limits=limits)) as address, channel_to(address) as channel:
        first = stub_for(channel).Synthesize(_TEXT, timeout=LIMIT_S)
        await first.read()
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await _read_all(stub_for(channel).Synthesize(_TEXT, timeout=LIMIT_S))
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert "1 calls of Synthesize" in (caught.value.details() or "")
        await stub_for(channel).ListVoices(_VOICES, timeout=LIMIT_S)  # other methods have their own limits
        assert await asyncio.gather(*(check(channel) for _ in range(5))) == [SERVING] * 5
        first.cancel()
        await wait_until(handler.cleaned.is_set, "the end of the first call")
        again = stub_for(channel).Synthesize(_TEXT, timeout=LIMIT_S)
        await wait_until(lambda: handler.begun == 2, "the next call")
        again.cancel()


async def test_a_port_that_is_taken_is_named() -> None:
    """Untold, gRPC lets two servers share a port, and each gets half of the calls."""
    async with serving(scripted_service()) as address:
        port = int(address.rsplit(":", 1)[1])
        with pytest.raises(PortInUseError, match=address):
            await start_and_stop(scripted_service(), loopback(port=port))
        metrics = loopback(metrics_port=port)
        with pytest.raises(PortInUseError, match=f"metrics port {address}"):
            await start_and_stop(scripted_service(), metrics)


async def test_metrics_listen_on_loopback_alone_wherever_the_service_listens() -> None:
    """prometheus_client's own default is every interface; and what guards the service does not guard its metrics."""
    settings = loopback(host="127.0.0.2", metrics_port=free_port())
    async with serving(scripted_service(), settings):
        with socket.create_connection(("127.0.0.1", settings.metrics_port), timeout=LIMIT_S):
            pass
        with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.2", settings.metrics_port)):
            pass


# Errors and deadlines


@pytest.mark.parametrize("method", ["once", "many"])
async def test_an_unexpected_error_keeps_its_text_to_itself(method: str) -> None:
    """Untold, gRPC sends the exception's text to the caller."""

    async def once(request: tts_pb2.ListVoicesRequest, context: Context) -> tts_pb2.ListVoicesResponse:
        raise RuntimeError("secret")

    async def many(request: tts_pb2.SynthesizeRequest, context: Context) -> _Speech:
        yield _CHUNK
        raise RuntimeError("secret")

    async with serving(scripted_service(once=once, many=many)) as address, channel_to(address) as channel:
        stub = stub_for(channel)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await (
                stub.ListVoices(_VOICES, timeout=LIMIT_S)
                if method == "once"
                else _read_all(stub.Synthesize(_TEXT, timeout=LIMIT_S))
            )
    assert caught.value.code() is grpc.StatusCode.INTERNAL
    told = f"{caught.value!r} {caught.value.trailing_metadata()} {caught.value.debug_error_string()}"
    assert "secret" not in told
    assert "RuntimeError" not in told


@pytest.mark.parametrize("asked_s", [None, LIMIT_S])
@pytest.mark.parametrize("own_limit", [True, False])
async def test_no_call_lasts_longer_than_its_method_may(asked_s: float | None, own_limit: bool) -> None:
    handler = _Stream(chunks=1)
    service = scripted_service(many=handler, limits={"Synthesize": MethodLimits(0.2)} if own_limit else {})
    settings = loopback(default_deadline_s=LIMIT_S if own_limit else 0.2)
    async with serving(service, settings) as address, channel_to(address) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await asyncio.wait_for(_read_all(stub_for(channel).Synthesize(_TEXT, timeout=asked_s)), LIMIT_S)
        assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert handler.cleaned.is_set()


# Retries, and several addresses


async def test_a_stream_is_tried_again_before_its_first_answer_and_never_after() -> None:
    begun: list[str] = []

    async def many(request: tts_pb2.SynthesizeRequest, context: Context) -> _Speech:
        begun.append(request.text)
        if request.text == "later":
            yield _CHUNK
        if begun.count(request.text) == 1:
            raise UnavailableError("not now")
        yield _CHUNK

    async with serving(scripted_service(many=many)) as address, channel_to(address) as channel:
        stub = stub_for(channel)
        assert await _read_all(stub.Synthesize(tts_pb2.SynthesizeRequest(text="early"), timeout=LIMIT_S)) == 1
        assert begun == ["early", "early"]
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await _read_all(stub.Synthesize(tts_pb2.SynthesizeRequest(text="later"), timeout=LIMIT_S))
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        assert begun == ["early", "early", "later"]


async def test_two_addresses_share_the_calls_and_survive_the_death_of_one() -> None:
    """A call that the dead one had not begun to answer goes to the other."""
    settings = loopback()
    async with (
        child_service("tts") as tts,
        serving(scripted_service(), settings),
        channel_to(f"ipv4:{tts.address},{settings.address}") as channel,
    ):
        stub = stub_for(channel)

        async def is_child() -> bool:
            """Which one answers: only the real one has voices."""
            return len((await stub.ListVoices(_VOICES, timeout=LIMIT_S, wait_for_ready=True)).voices) > 0

        answered: set[bool] = set()
        async with asyncio.timeout(LIMIT_S):
            while len(answered) < 2:
                answered.add(await is_child())
        tts.freeze()
        asked = [asyncio.create_task(is_child()) for _ in range(4)]
        await wait_until(lambda: sum(task.done() for task in asked) == 2, "the other's answers")
        tts.kill()
        assert await asyncio.gather(*asked) == [False] * 4
        assert [await is_child() for _ in range(10)] == [False] * 10


async def test_a_proxy_for_the_web_is_none_for_our_services(monkeypatch: pytest.MonkeyPatch) -> None:
    """gRPC heeds http_proxy, for loopback too: on many a company's machine nothing would answer."""
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("no_grpc_proxy", raising=False)
    async with serving(scripted_service()) as address, channel_to(address) as channel:
        await stub_for(channel).ListVoices(_VOICES, timeout=LIMIT_S)


async def test_a_service_that_comes_back_is_found_again() -> None:
    settings = loopback()
    async with channel_to(settings.address) as channel:
        for _ in range(2):
            async with serving(scripted_service(), settings):
                await stub_for(channel).ListVoices(_VOICES, timeout=LIMIT_S, wait_for_ready=True)
            with pytest.raises(grpc.aio.AioRpcError):
                await stub_for(channel).ListVoices(_VOICES, timeout=LIMIT_S)
