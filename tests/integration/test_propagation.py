"""What a call hands on to the calls that it makes: request id, trace and what is left of its time."""

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator

import grpc
import pytest

from services.common import calls
from services.common.channels import Connection
from services.common.lifecycle import MethodLimits
from superwhisper.tts.v1 import tts_pb2
from tests.support.scripted import LIMIT_S, Context, channel_to, for_ever, scripted_service, stub_for
from tests.support.servers import serving

_TRACE, _SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
_VOICES = tts_pb2.ListVoicesRequest()
_OUTGOING_LIMIT_S = 25.0
_ROUNDING_S = 0.5  # gRPC rounds a deadline up on its way


class _Hop:
    """What one service saw of a call."""

    def __init__(self) -> None:
        self.call: calls.CallContext | None = None
        self.left_s = 0.0
        self.token: object = None

    def see(self, context: Context) -> None:
        self.call = calls.current()
        self.left_s = context.time_remaining()
        self.token = dict(context.invocation_metadata() or ()).get("authorization")


@contextlib.asynccontextmanager
async def _two_hops(near: _Hop, far: _Hop, limit_s: float = LIMIT_S) -> AsyncIterator[str]:
    """A service whose handler calls a second one; its address."""

    async def behind(request: tts_pb2.ListVoicesRequest, context: Context) -> tts_pb2.ListVoicesResponse:
        far.see(context)
        if request.language_code == "slow":
            await for_ever()
        return tts_pb2.ListVoicesResponse()

    async with serving(scripted_service(once=behind)) as far_address:
        connection = Connection(far_address)
        async with connection.open() as channel:

            async def before(request: tts_pb2.ListVoicesRequest, context: Context) -> tts_pb2.ListVoicesResponse:
                near.see(context)
                return await stub_for(channel).ListVoices(request, **connection.call_options(_OUTGOING_LIMIT_S))

            async def many(
                request: tts_pb2.SynthesizeRequest, context: Context
            ) -> AsyncGenerator[tts_pb2.SynthesizeResponse, None]:
                near.see(context)
                yield tts_pb2.SynthesizeResponse()
                await stub_for(channel).ListVoices(_VOICES, **connection.call_options(_OUTGOING_LIMIT_S))

            limits = {"ListVoices": MethodLimits(limit_s)}
            async with serving(scripted_service(once=before, many=many, limits=limits)) as address:
                yield address


@pytest.mark.parametrize("streaming", [False, True])
async def test_request_id_and_trace_arrive_at_the_next_hop(streaming: bool) -> None:
    near, far = _Hop(), _Hop()
    metadata = (("x-request-id", "req-7"), ("traceparent", f"00-{_TRACE}-{_SPAN}-01"))
    async with _two_hops(near, far) as address, channel_to(address) as channel:
        if streaming:
            speech = stub_for(channel).Synthesize(
                tts_pb2.SynthesizeRequest(text="hello"), timeout=LIMIT_S, metadata=metadata
            )
            assert len([response async for response in speech]) == 1
        else:
            await stub_for(channel).ListVoices(_VOICES, timeout=LIMIT_S, metadata=metadata)
    assert near.call is not None
    assert far.call is not None
    assert near.call.request_id == far.call.request_id == "req-7"
    assert near.call.trace_id == far.call.trace_id == _TRACE
    assert near.call.sampled == far.call.sampled == "01"
    assert len({_SPAN, near.call.span_id, far.call.span_id}) == 3


async def test_a_call_without_ids_gets_some_that_the_next_hop_shares() -> None:
    near, far = _Hop(), _Hop()
    async with _two_hops(near, far) as address, channel_to(address) as channel:
        await stub_for(channel).ListVoices(_VOICES, timeout=LIMIT_S)
        assert near.call is not None
        assert far.call is not None
        assert near.call.request_id == far.call.request_id
        assert near.call.trace_id == far.call.trace_id
        first = near.call.request_id
        await stub_for(channel).ListVoices(_VOICES, timeout=LIMIT_S)
        assert near.call.request_id != first


async def test_the_next_hop_has_no_more_time_than_the_caller_gave() -> None:
    near, far = _Hop(), _Hop()
    async with _two_hops(near, far) as address, channel_to(address) as channel:
        await stub_for(channel).ListVoices(_VOICES, timeout=11)
    assert 0 < far.left_s <= near.left_s + _ROUNDING_S <= 11 + 2 * _ROUNDING_S


async def test_the_next_hop_has_no_more_time_than_the_method_allows() -> None:
    near, far = _Hop(), _Hop()
    async with _two_hops(near, far, limit_s=7) as address, channel_to(address) as channel:
        await stub_for(channel).ListVoices(_VOICES)
    assert 0 < far.left_s <= 7 + _ROUNDING_S


async def test_the_next_hop_has_no_more_time_than_its_own_limit() -> None:
    near, far = _Hop(), _Hop()
    async with _two_hops(near, far) as address, channel_to(address) as channel:
        await stub_for(channel).ListVoices(_VOICES, timeout=1000)
    assert 0 < far.left_s <= _OUTGOING_LIMIT_S + _ROUNDING_S


async def test_a_deadline_ends_the_whole_chain_of_calls() -> None:
    near, far = _Hop(), _Hop()
    async with _two_hops(near, far) as address, channel_to(address) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub_for(channel).ListVoices(tts_pb2.ListVoicesRequest(language_code="slow"), timeout=0.5)
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert far.call is not None


async def test_a_callers_token_is_its_own() -> None:
    """It opens this service; the next one has a token of its own."""
    near, far = _Hop(), _Hop()
    async with _two_hops(near, far) as address, channel_to(address) as channel:
        await stub_for(channel).ListVoices(_VOICES, timeout=LIMIT_S, metadata=(("authorization", "Bearer secret"),))
    assert near.token == "Bearer secret"
    assert far.token is None
