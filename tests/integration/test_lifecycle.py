"""The life of a server and of a service's process: services/common/lifecycle.py."""

import asyncio
import logging
import signal
import urllib.request
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from prometheus_client import CollectorRegistry

from services.common.chain import Answer, Candidate, EngineChain
from services.common.lifecycle import serve
from services.common.metrics import ChainMetrics
from services.common.status import from_rpc_error
from superwhisper.tts.v1 import tts_pb2
from tests.fakes.engines import ScriptedEngine
from tests.support.health import NOT_SERVING, SERVING, check, health_stub, watch
from tests.support.scripted import LIMIT_S, Context, Requests, channel_to, for_ever, scripted_service, stub_for
from tests.support.servers import child_service, free_port, loopback, serving
from tests.support.waiting import wait_until

_NAME = "superwhisper.tts.v1.TtsService"
_VOICES = tts_pb2.ListVoicesRequest()
_Speech = AsyncGenerator[tts_pb2.StreamingSynthesizeResponse, None]
_CONFIG = tts_pb2.StreamingSynthesizeRequest(config=tts_pb2.StreamingSynthesizeConfig())


def _text(text: str) -> tts_pb2.StreamingSynthesizeRequest:
    return tts_pb2.StreamingSynthesizeRequest(text_delta=text)


# Health


async def test_not_serving_until_loaded_then_serving() -> None:
    may_load, loaded = asyncio.Event(), asyncio.Event()

    async def start() -> None:
        await may_load.wait()
        loaded.set()

    service = scripted_service(start=start, ready=loaded.is_set)
    async with serving(service, until_serving=False) as address, channel_to(address) as channel:
        for name in ("", _NAME):
            assert await check(channel, name) == NOT_SERVING
        health = watch(channel, _NAME, timeout=LIMIT_S)
        assert (await health.read()).status == NOT_SERVING
        may_load.set()
        assert (await health.read()).status == SERVING
        assert await check(channel) == SERVING
        health.cancel()


async def test_not_serving_from_the_very_first_moment() -> None:
    """grpc's own health servicer begins with SERVING for the whole server."""
    settings, stop = loopback(), asyncio.Event()
    async with channel_to(settings.address) as channel:
        health = watch(channel, wait_for_ready=True, timeout=LIMIT_S)
        server = asyncio.create_task(serve(scripted_service(ready=lambda: False), settings, stop=stop))
        assert (await health.read()).status == NOT_SERVING
        health.cancel()
    stop.set()
    await server


async def test_health_follows_the_service_down_and_up_again() -> None:
    ready = True
    service = scripted_service(ready=lambda: ready)
    async with serving(service) as address, channel_to(address) as channel:
        health = watch(channel, _NAME, timeout=LIMIT_S)
        assert (await health.read()).status == SERVING
        ready = False
        assert (await health.read()).status == NOT_SERVING
        ready = True
        assert (await health.read()).status == SERVING
        health.cancel()


async def test_health_of_an_unknown_service_is_not_found() -> None:
    async with serving(scripted_service()) as address, channel_to(address) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await check(channel, "superwhisper.nobody")
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND


async def test_the_health_of_everything_can_be_listed() -> None:
    async with serving(scripted_service()) as address, channel_to(address) as channel:
        response = await health_stub(channel).List(health_pb2.HealthListRequest(), timeout=LIMIT_S)  # type: ignore[attr-defined]
    assert {name: status.status for name, status in response.statuses.items()} == {"": SERVING, _NAME: SERVING}


async def test_whoever_watches_the_health_may_do_so_for_long() -> None:
    """No deadline of ordinary calls applies."""
    settings = loopback(default_deadline_s=0.1)
    async with serving(scripted_service(), settings) as address, channel_to(address) as channel:
        health = watch(channel)
        assert (await health.read()).status == SERVING
        with pytest.raises(grpc.aio.AioRpcError) as caught:  # an ordinary call meanwhile: its deadline has passed
            await stub_for(channel).StreamingSynthesize().read()
        assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert not health.done()
        health.cancel()


async def test_without_any_engine_it_stays_up_and_says_why() -> None:
    async def load() -> ScriptedEngine:
        raise OSError("model.onnx is not there")

    registry = CollectorRegistry()
    chain = EngineChain([Candidate("only", load)], ChainMetrics.create(registry, "tts"))

    async def once(request: tts_pb2.ListVoicesRequest, context: Context) -> tts_pb2.ListVoicesResponse:
        answer: Answer[str] = await chain.call(ScriptedEngine.answer, LIMIT_S)
        return tts_pb2.ListVoicesResponse(voices=[tts_pb2.Voice(name=answer.value)])

    service = scripted_service(
        once=once, start=chain.start, ready=lambda: chain.ready, keep_up=chain.keep_up, close=chain.close
    )
    async with serving(service, until_serving=False) as address, channel_to(address) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub_for(channel).ListVoices(_VOICES, timeout=LIMIT_S)
        error = from_rpc_error(caught.value, "tts")
        assert error.status is grpc.StatusCode.UNAVAILABLE
        assert error.detailed_reason == "ENGINE_UNAVAILABLE"
        assert error.retryable
        assert "only: model.onnx is not there" in error.message
        assert await check(channel) == NOT_SERVING


# Reflection and metrics


async def test_reflection_lists_the_service() -> None:
    async with serving(scripted_service()) as address, channel_to(address) as channel:
        stub: Any = reflection_pb2_grpc.ServerReflectionStub(channel)  # type: ignore[arg-type]  # knows no asyncio

        async def requests() -> AsyncIterator[reflection_pb2.ServerReflectionRequest]:
            yield reflection_pb2.ServerReflectionRequest(list_services="")
            yield reflection_pb2.ServerReflectionRequest(file_containing_symbol=_NAME)

        answers = [answer async for answer in stub.ServerReflectionInfo(requests(), timeout=LIMIT_S)]
    names = {service.name for service in answers[0].list_services_response.service}
    assert names >= {_NAME, "grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"}
    assert answers[1].file_descriptor_response.file_descriptor_proto


async def test_metrics_count_calls_by_what_the_caller_was_told() -> None:
    async def once(request: tts_pb2.ListVoicesRequest, context: Context) -> tts_pb2.ListVoicesResponse:
        if request.language_code == "cancelled":
            raise asyncio.CancelledError
        if request.language_code == "remote":
            async with channel_to(f"127.0.0.1:{free_port()}") as elsewhere:
                return await stub_for(elsewhere).ListVoices(_VOICES, timeout=LIMIT_S)
        return tts_pb2.ListVoicesResponse()

    settings = loopback(metrics_port=free_port())
    async with serving(scripted_service(once=once), settings) as address, channel_to(address) as channel:
        await stub_for(channel).ListVoices(_VOICES, timeout=LIMIT_S)
        told = []
        for trouble in ("cancelled", "remote"):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await stub_for(channel).ListVoices(tts_pb2.ListVoicesRequest(language_code=trouble), timeout=LIMIT_S)
            told.append(caught.value.code())
        with pytest.raises(grpc.aio.AioRpcError):
            await check(channel, "superwhisper.nobody")
        page = await asyncio.to_thread(_page, f"http://127.0.0.1:{settings.metrics_port}/metrics")
    assert told == [grpc.StatusCode.ABORTED, grpc.StatusCode.UNAVAILABLE]
    for code in ("OK", "ABORTED", "UNAVAILABLE"):
        assert f'grpc_calls_total{{code="{code}",method="/{_NAME}/ListVoices"}}' in page
    assert 'grpc_calls_total{code="NOT_FOUND",method="/grpc.health.v1.Health/Check"} 1.0' in page
    assert f'grpc_calls_active{{method="/{_NAME}/ListVoices"}} 0.0' in page


# Draining


async def test_what_runs_may_end_but_nothing_new_begins() -> None:
    may_end, draining_seen, closed = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def duplex(requests: Requests, context: Context) -> _Speech:
        yield tts_pb2.StreamingSynthesizeResponse()
        await service.draining.wait()
        draining_seen.set()
        await may_end.wait()
        yield tts_pb2.StreamingSynthesizeResponse()

    async def close() -> None:
        closed.set()

    service = scripted_service(duplex=duplex, close=close)
    settings, stop = loopback(drain_s=LIMIT_S), asyncio.Event()
    server = asyncio.create_task(serve(service, settings, stop=stop))
    async with channel_to(settings.address) as channel:
        call = stub_for(channel).StreamingSynthesize(wait_for_ready=True, timeout=LIMIT_S)
        await call.read()
        stop.set()
        await wait_until(draining_seen.is_set, "the drain")
        async with channel_to(settings.address) as late:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await stub_for(late).ListVoices(_VOICES, timeout=LIMIT_S)
            assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        assert not closed.is_set()  # its engines are still needed
        may_end.set()
        assert await call.read() is not grpc.aio.EOF
        assert await call.read() is grpc.aio.EOF
    await server
    assert closed.is_set()


async def test_what_runs_too_long_is_ended_after_the_drain(caplog: pytest.LogCaptureFixture) -> None:
    cleaned = asyncio.Event()

    async def duplex(requests: Requests, context: Context) -> _Speech:
        try:
            yield tts_pb2.StreamingSynthesizeResponse()
            await for_ever()
        finally:
            await asyncio.sleep(0)
            cleaned.set()

    async def close() -> None:
        assert cleaned.is_set()  # no handler uses the engines any more

    settings, stop = loopback(drain_s=0.1), asyncio.Event()
    server = asyncio.create_task(serve(scripted_service(duplex=duplex, close=close), settings, stop=stop))
    async with channel_to(settings.address) as channel:
        call = stub_for(channel).StreamingSynthesize(wait_for_ready=True, timeout=LIMIT_S)
        await call.read()
        stop.set()
        await server
        assert cleaned.is_set()
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call.read()
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_a_watcher_of_the_health_does_not_hold_up_the_end() -> None:
    """An orchestrator or a probe watches for ever; without care every stop would last the whole drain time."""
    settings, stop = loopback(drain_s=2 * LIMIT_S), asyncio.Event()
    server = asyncio.create_task(serve(scripted_service(), settings, stop=stop))
    async with channel_to(settings.address) as channel:
        health = watch(channel, wait_for_ready=True, timeout=2 * LIMIT_S)
        while (await health.read()).status != SERVING:
            pass
        stop.set()
        async with asyncio.timeout(LIMIT_S):
            assert (await health.read()).status == NOT_SERVING
            assert await health.read() is grpc.aio.EOF
            await server


# Processes


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_told_to_stop_a_process_lets_its_running_call_end_well(number: signal.Signals) -> None:
    async with child_service("tts") as tts, channel_to(tts.address) as channel:
        call = stub_for(channel).StreamingSynthesize(timeout=LIMIT_S)
        await call.write(_CONFIG)
        await call.write(_text("This is the first clause, and this "))
        assert _response(await call.read()).HasField("started")
        health = watch(channel, timeout=LIMIT_S)
        assert (await health.read()).status == SERVING
        tts.process.send_signal(number)
        assert (await health.read()).status == NOT_SERVING
        await call.write(_text("is the end."))
        await call.done_writing()
        last = tts_pb2.StreamingSynthesizeResponse()
        while (response := await call.read()) is not grpc.aio.EOF:
            last = _response(response)
        assert last.finished.characters == len("This is the first clause, and this is the end.")
        assert await call.code() is grpc.StatusCode.OK
        assert await tts.ended() == 0
        assert "Traceback" not in tts.output()


async def test_a_port_in_use_ends_the_process_with_a_sentence_that_names_it() -> None:
    async with child_service("tts") as first:
        port = int(first.address.rsplit(":", 1)[1])
        async with child_service("tts", port=port, until_serving=False) as second:
            assert await second.ended() == 1
            assert f"superwhisper tts: {first.address} cannot be used" in second.output()
            assert "Traceback" not in second.output()
        metrics = ("--tts.server.metrics_port", str(port))
        async with child_service("tts", *metrics, until_serving=False) as third:
            assert await third.ended() == 1
            assert f"{first.address} cannot be used" in third.output()
            assert "Traceback" not in third.output()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--tts.server.host", "0.0.0.0"), "0.0.0.0 can be reached by others"),
        (("--tts.server.port", "70000"), "tts.server.port"),
        (("--profile", "nobody"), "there is no profile 'nobody'"),
        (("--tts.server.security.tls_cert", "/nowhere.pem"), "tls_cert and tls_key belong together"),
    ],
)
async def test_what_keeps_it_from_starting_is_told_in_a_sentence(arguments: tuple[str, str], sentence: str) -> None:
    async with child_service("tts", *arguments, until_serving=False) as child:
        assert await child.ended() == 1
        assert "superwhisper tts: " in child.output()
        assert sentence in child.output()
        assert "Traceback" not in child.output()


def _response(read: object) -> tts_pb2.StreamingSynthesizeResponse:
    assert isinstance(read, tts_pb2.StreamingSynthesizeResponse)
    return read


def _page(url: str) -> str:
    with urllib.request.urlopen(url, timeout=LIMIT_S) as response:
        return str(response.read().decode())
