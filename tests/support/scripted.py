"""A gRPC service whose handlers a test writes: TtsService on the wire, because it has every kind of method.

`once` stands behind ListVoices (one message in, one out), `many` behind Synthesize (one in, many out), `duplex` behind
StreamingSynthesize (many in, many out).
"""

# ruff: noqa: N802  # gRPC's method names

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import grpc
from prometheus_client import CollectorRegistry

from services.common.channels import Connection
from services.common.lifecycle import MethodLimits, Service
from superwhisper.tts.v1 import tts_pb2, tts_pb2_grpc

Context = grpc.aio.ServicerContext[Any, Any]
Once = Callable[[tts_pb2.ListVoicesRequest, Context], Awaitable[tts_pb2.ListVoicesResponse]]
Many = Callable[[tts_pb2.SynthesizeRequest, Context], AsyncGenerator[tts_pb2.SynthesizeResponse, None]]
Requests = AsyncIterator[tts_pb2.StreamingSynthesizeRequest]
Duplex = Callable[[Requests, Context], AsyncGenerator[tts_pb2.StreamingSynthesizeResponse, None]]

LIMIT_S = 30.0  # of every call of a test: nothing hangs for ever


async def _once(request: tts_pb2.ListVoicesRequest, context: Context) -> tts_pb2.ListVoicesResponse:
    return tts_pb2.ListVoicesResponse()


async def _many(
    request: tts_pb2.SynthesizeRequest, context: Context
) -> AsyncGenerator[tts_pb2.SynthesizeResponse, None]:
    yield tts_pb2.SynthesizeResponse()


async def _duplex(requests: Requests, context: Context) -> AsyncGenerator[tts_pb2.StreamingSynthesizeResponse, None]:
    async for _ in requests:
        yield tts_pb2.StreamingSynthesizeResponse()


class _ScriptedTts(tts_pb2_grpc.TtsServiceServicer):
    def __init__(self, once: Once, many: Many, duplex: Duplex) -> None:
        self._once, self._many, self._duplex = once, many, duplex

    async def ListVoices(self, request: tts_pb2.ListVoicesRequest, context: Context) -> tts_pb2.ListVoicesResponse:
        return await self._once(request, context)

    def Synthesize(
        self, request: tts_pb2.SynthesizeRequest, context: Context
    ) -> AsyncGenerator[tts_pb2.SynthesizeResponse, None]:
        return self._many(request, context)

    def StreamingSynthesize(
        self, request_iterator: Requests, context: Context
    ) -> AsyncGenerator[tts_pb2.StreamingSynthesizeResponse, None]:
        return self._duplex(request_iterator, context)

    async def GetCapabilities(
        self, request: tts_pb2.GetCapabilitiesRequest, context: Context
    ) -> tts_pb2.GetCapabilitiesResponse:
        return tts_pb2.GetCapabilitiesResponse()


async def nothing() -> None:
    """For what a service has no use for."""


async def for_ever() -> None:
    """Until cancelled."""
    await asyncio.Event().wait()


def scripted_service(
    *,
    once: Once = _once,
    many: Many = _many,
    duplex: Duplex = _duplex,
    limits: Mapping[str, MethodLimits] | None = None,
    start: Callable[[], Awaitable[None]] = nothing,
    ready: Callable[[], bool] = lambda: True,
    keep_up: Callable[[], Awaitable[None]] = for_ever,
    close: Callable[[], Awaitable[None]] = nothing,
    stuck: Callable[[], str | None] = lambda: None,
) -> Service:
    """A service around the handlers."""
    servicer = _ScriptedTts(once, many, duplex)

    def register(server: grpc.aio.Server) -> None:
        tts_pb2_grpc.add_TtsServiceServicer_to_server(servicer, server)

    return Service(
        descriptor=tts_pb2.DESCRIPTOR.services_by_name["TtsService"],
        register=register,
        limits=limits or {},
        start=start,
        ready=ready,
        keep_up=keep_up,
        close=close,
        registry=CollectorRegistry(),
        stuck=stuck,
    )


def stub_for(channel: grpc.aio.Channel) -> "tts_pb2_grpc.TtsServiceAsyncStub":
    """Its client."""
    stub: tts_pb2_grpc.TtsServiceAsyncStub = tts_pb2_grpc.TtsServiceStub(channel)
    return stub


def channel_to(address: str) -> grpc.aio.Channel:
    """As the services open one to each other."""
    return Connection(address).open()
