"""Traces across services: real servers that call each other, and a collector that gets what they trace."""

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator

import grpc
import pytest
from prometheus_client import CollectorRegistry

from services.common import calls
from services.common.channels import Connection
from services.common.errors import EngineFailedError, InvalidInputError
from services.common.lifecycle import Service
from services.common.settings import TracingSettings
from services.common.tracing import exported
from services.orchestrator.events import Timings
from services.orchestrator.turn_events import Outcome
from services.orchestrator.turn_trace import record_turn
from superwhisper.tts.v1 import tts_pb2
from tests.fakes.otlp_collector import OtlpCollector
from tests.support.health import watch
from tests.support.scripted import LIMIT_S, Context, channel_to, scripted_service, stub_for
from tests.support.servers import child_service, free_port, serving

_TRACE, _SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
_PACKAGE = "superwhisper.tts.v1.TtsService"
_SECRET = "rendezvous"  # what somebody says
_VOICES = tts_pb2.ListVoicesRequest(language_code="fr")


@contextlib.asynccontextmanager
async def _traced(service: Service, name: str, endpoint: str) -> AsyncIterator[str]:
    """Serves as a process does whose settings name an endpoint; its address."""
    with exported(service.tracer, TracingSettings(endpoint=endpoint), name, CollectorRegistry()):
        async with serving(service) as address:
            yield address


@contextlib.asynccontextmanager
async def _chained(endpoint: str) -> AsyncIterator[str]:
    """A service `near` that calls a service `far`: once as it is asked, or for a turn of a conversation."""
    async with (
        _traced(scripted_service(), "far", endpoint) as far_address,
        channel_to(far_address) as channel,
    ):
        far, options = stub_for(channel), Connection(far_address).call_options

        async def once(request: tts_pb2.ListVoicesRequest, context: Context) -> tts_pb2.ListVoicesResponse:
            return await far.ListVoices(request, **options(LIMIT_S))

        async def converse(
            request: tts_pb2.SynthesizeRequest, context: Context
        ) -> AsyncGenerator[tts_pb2.SynthesizeResponse, None]:
            with calls.turn_context(1, LIMIT_S) as turn:
                speech = far.Synthesize(tts_pb2.SynthesizeRequest(text=request.text), **options(LIMIT_S))
                async for piece in speech:
                    yield piece
                await far.ListVoices(_VOICES, **options(LIMIT_S))
            timings = Timings(first_token_ms=5, first_audio_ms=7, total_ms=9)
            record_turn(near.tracer, turn, 1000.0, timings, Outcome.COMPLETED, {})

        near = scripted_service(once=once, many=converse)
        async with _traced(near, "near", endpoint) as address:
            yield address


@pytest.mark.parametrize("caller", [(), (("traceparent", f"00-{_TRACE}-{_SPAN}-01"),)], ids=["no trace", "a trace"])
async def test_calls_that_cause_each_other_are_one_trace(caller: tuple[tuple[str, str], ...]) -> None:
    with OtlpCollector() as collector:
        async with _chained(collector.endpoint) as address, channel_to(address) as channel:
            await stub_for(channel).ListVoices(_VOICES, metadata=(("x-request-id", "req-7"), *caller), timeout=LIMIT_S)
    by_service = {span.service: span for span in collector.spans}
    near, far = by_service["superwhisper-near"], by_service["superwhisper-far"]
    assert len(collector.spans) == 2
    assert near.trace_id == far.trace_id
    assert (near.trace_id == _TRACE) is bool(caller)
    assert near.parent_id == (_SPAN if caller else "")
    assert far.parent_id == near.span_id
    assert near.start_ns <= far.start_ns <= far.end_ns <= near.end_ns
    for span in (near, far):
        assert span.name == f"{_PACKAGE}/ListVoices"
        assert span.is_server
        assert not span.failed
        assert span.attributes == {
            "rpc.system.name": "grpc",
            "rpc.method": f"{_PACKAGE}/ListVoices",
            "rpc.response.status_code": "OK",
            "superwhisper.stage": "tts",
            "superwhisper.request_id": "req-7",
        }


async def test_a_turn_is_one_trace_apart_from_the_conversation_and_nothing_of_what_is_said_is_in_it() -> None:
    with OtlpCollector() as collector:
        async with _chained(collector.endpoint) as address, channel_to(address) as channel:
            speech = stub_for(channel).Synthesize(
                tts_pb2.SynthesizeRequest(text=_SECRET), metadata=(("x-request-id", "talk"),), timeout=LIMIT_S
            )
            assert len([piece async for piece in speech]) == 1
    turn = collector.named("turn")
    children = {span.name: span for span in collector.spans if span.parent_id == turn.span_id}
    assert set(children) == {"first_token", "first_audio", f"{_PACKAGE}/Synthesize", f"{_PACKAGE}/ListVoices"}
    assert {span.trace_id for span in children.values()} == {turn.trace_id}
    assert children[f"{_PACKAGE}/Synthesize"].service == "superwhisper-far"
    assert children[f"{_PACKAGE}/Synthesize"].attributes["superwhisper.request_id"] == "talk.1"
    (conversation,) = (span for span in collector.spans if span.trace_id != turn.trace_id)
    assert (conversation.service, conversation.parent_id) == ("superwhisper-near", "")
    assert all(_SECRET.encode() not in body for body in collector.bodies)


async def test_a_caller_who_wants_no_trace_leaves_none() -> None:
    with OtlpCollector() as collector:
        async with _chained(collector.endpoint) as address, channel_to(address) as channel:
            metadata = (("traceparent", f"00-{_TRACE}-{_SPAN}-00"),)
            await stub_for(channel).ListVoices(_VOICES, metadata=metadata, timeout=LIMIT_S)
            await stub_for(channel).ListVoices(_VOICES, timeout=LIMIT_S)
    assert len(collector.spans) == 2  # of the second call
    assert all(span.trace_id != _TRACE for span in collector.spans)


@pytest.mark.parametrize(
    ("error", "status", "failed"),
    [
        (InvalidInputError("text", _SECRET), "INVALID_ARGUMENT", False),
        (EngineFailedError(_SECRET), "INTERNAL", True),
        (ValueError(_SECRET), "INTERNAL", True),
    ],
)
async def test_a_call_that_fails_says_with_which_status_and_no_more(
    error: Exception, status: str, failed: bool
) -> None:
    async def once(request: tts_pb2.ListVoicesRequest, context: Context) -> tts_pb2.ListVoicesResponse:
        raise error

    with OtlpCollector() as collector:
        service = scripted_service(once=once)
        async with _traced(service, "near", collector.endpoint) as address, channel_to(address) as channel:
            with pytest.raises(grpc.aio.AioRpcError):
                await stub_for(channel).ListVoices(_VOICES, timeout=LIMIT_S)
    (span,) = collector.spans
    assert (span.attributes["rpc.response.status_code"], span.failed) == (status, failed)
    assert _SECRET.encode() not in collector.bodies[0]


async def test_a_call_that_its_caller_left_is_cancelled() -> None:
    with OtlpCollector() as collector:
        service = scripted_service()
        async with _traced(service, "near", collector.endpoint) as address, channel_to(address) as channel:
            call = stub_for(channel).StreamingSynthesize(timeout=LIMIT_S)
            await call.write(tts_pb2.StreamingSynthesizeRequest())
            await call.read()
            call.cancel()
    (span,) = collector.spans
    assert (span.attributes["rpc.response.status_code"], span.failed) == ("CANCELLED", False)


async def test_probes_leave_no_traces() -> None:
    with OtlpCollector() as collector:
        async with _traced(scripted_service(), "near", collector.endpoint) as address, channel_to(address) as channel:
            await watch(channel, timeout=LIMIT_S).read()
    assert collector.spans == []


async def test_a_collector_that_is_away_is_nothing_to_the_calls() -> None:
    async with _chained(f"http://127.0.0.1:{free_port()}") as address, channel_to(address) as channel:
        for _ in range(20):
            await stub_for(channel).ListVoices(_VOICES, timeout=LIMIT_S)


async def test_a_process_sends_what_it_traced_before_it_ends() -> None:
    with OtlpCollector() as collector:
        environment = {"SUPERWHISPER_TRACING__ENDPOINT": collector.endpoint}
        async with child_service("tts", "--tts.engines", '["tone"]', environment=environment) as tts:
            async with channel_to(tts.address) as channel:
                request = tts_pb2.SynthesizeRequest(text=_SECRET)
                metadata = (("traceparent", f"00-{_TRACE}-{_SPAN}-01"),)
                assert [piece async for piece in stub_for(channel).Synthesize(request, metadata=metadata)]
            assert await tts.stop() == 0
            assert "Traceback" not in tts.output()
    (span,) = collector.spans
    assert (span.trace_id, span.parent_id, span.service) == (_TRACE, _SPAN, "superwhisper-tts")
    assert span.name == f"{_PACKAGE}/Synthesize"
    assert all(_SECRET.encode() not in body for body in collector.bodies)
