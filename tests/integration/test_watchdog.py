"""A thread of an engine that does not come back: the callers are served, and the process makes room for another."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
import pytest

from services.common.channels import Connection
from services.common.errors import StuckError
from services.common.lifecycle import EXIT_STUCK, serve
from superwhisper.tts.v1 import tts_pb2
from tests.support.health import NOT_SERVING, SERVING, watch
from tests.support.scripted import LIMIT_S, channel_to, nothing, scripted_service, stub_for
from tests.support.servers import Child, child_python, free_port, loopback, wait_for_health

_VOICES = tts_pb2.ListVoicesRequest()
_TEXT = tts_pb2.StreamingSynthesizeRequest(text_delta="a")


@asynccontextmanager
async def _hanging(hangs: str, *flags: str, wanted: int = SERVING) -> AsyncIterator[Child]:
    port = free_port()
    command = [
        *("-m", "tests.fakes.hanging_service", "--profile", "embedded"),
        *("--tts.server.port", str(port), "--tts.server.metrics_port", "0", *flags),
    ]
    with child_python("hanging", command, f"127.0.0.1:{port}", {"HANGS": hangs}) as child:
        await wait_for_health(Connection(child.address), wanted=wanted)
        yield child


async def test_a_hung_engine_costs_its_callers_a_moment_and_the_process_its_life() -> None:
    async with _hanging("call", "--tts.piece_limit_s", "0.5") as child, channel_to(child.address) as channel:
        stub = stub_for(channel)
        other = stub.StreamingSynthesize(timeout=LIMIT_S)
        await other.write(_TEXT)
        await other.read()
        health = watch(channel, timeout=LIMIT_S)
        assert (await health.read()).status == SERVING
        # The next engine answers the very request over which the first one hangs.
        assert (await stub.ListVoices(_VOICES, timeout=LIMIT_S)).voices[0].name == "spare"
        assert (await health.read()).status == NOT_SERVING
        # What runs may end.
        await other.write(_TEXT)
        assert await other.read() is not grpc.aio.EOF
        await other.done_writing()
        assert await other.read() is grpc.aio.EOF
        assert await child.ended() == EXIT_STUCK
        assert "engine hanging: a thread of hanging has not come back" in child.output()
        assert "this process ends, so that another takes over" in child.output()
        assert "Traceback" not in child.output()


async def test_sigterm_ends_a_process_whose_engine_hangs_over_a_call() -> None:
    flags = ("--tts.piece_limit_s", str(LIMIT_S), "--tts.server.drain_s", "0.2")
    async with _hanging("call", *flags) as child, channel_to(child.address) as channel:
        call = stub_for(channel).ListVoices(_VOICES, timeout=LIMIT_S)
        await _until_the_call_is_there(channel)
        assert await child.stop() == 0  # nobody waits for the thread; it had not yet been taken for lost
        assert await call.code() in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}
        assert "these threads do not end: hanging" in child.output()
        assert "Traceback" not in child.output()


async def test_sigterm_ends_a_process_whose_engine_hangs_while_it_is_loaded() -> None:
    async with _hanging("load", wanted=NOT_SERVING) as child:
        assert await child.stop() == 0
        assert "these threads do not end: hanging" in child.output()


async def test_it_is_not_serving_at_once_and_ends_with_the_reason_though_the_thread_came_back() -> None:
    stuck: list[str] = []
    service = scripted_service(stuck=lambda: stuck[0] if stuck else None, close=nothing)
    settings = loopback(drain_s=LIMIT_S)
    server = asyncio.create_task(serve(service, settings, stop=asyncio.Event()))
    async with channel_to(settings.address) as channel:
        other = stub_for(channel).StreamingSynthesize(wait_for_ready=True, timeout=LIMIT_S)
        await other.write(_TEXT)
        await other.read()
        health = watch(channel, timeout=LIMIT_S)
        while (await health.read()).status != SERVING:
            pass
        stuck.append("a thread hangs")
        assert (await health.read()).status == NOT_SERVING
        stuck.clear()
        await other.done_writing()
        assert await other.read() is grpc.aio.EOF
        with pytest.raises(StuckError, match="a thread hangs"):
            await server


async def _until_the_call_is_there(channel: grpc.aio.Channel) -> None:
    """An answer to a call made after it, by the same connection, means that it was taken up."""
    echo = stub_for(channel).StreamingSynthesize(timeout=LIMIT_S)
    await echo.write(_TEXT)
    await echo.read()
    echo.cancel()
