"""A mind that says the same whatever it is told: LlmService in the test's own process."""

# ruff: noqa: N802  # gRPC's method names

from collections.abc import AsyncGenerator

import grpc
from prometheus_client import CollectorRegistry

from services.common.lifecycle import MethodLimits, Service
from superwhisper.common.v1 import capabilities_pb2
from superwhisper.llm.v1 import llm_pb2, llm_pb2_grpc
from tests.support.scripted import LIMIT_S, Context, for_ever, nothing

_BACKEND = "reciting-mind"


class RecitingMind(llm_pb2_grpc.LlmServiceServicer):
    """Knows one text by heart."""

    def __init__(self, text: str) -> None:
        self.times_asked = 0
        self._text = text

    async def Generate(
        self, request: llm_pb2.GenerateRequest, context: Context
    ) -> AsyncGenerator[llm_pb2.GenerateResponse, None]:
        """See the proto."""
        self.times_asked += 1
        yield llm_pb2.GenerateResponse(text_delta=self._text)
        finished = llm_pb2.GenerationFinished(finish_reason=llm_pb2.FINISH_REASON_STOP, backend=_BACKEND)
        yield llm_pb2.GenerateResponse(finished=finished)

    async def GetCapabilities(
        self, request: llm_pb2.GetCapabilitiesRequest, context: Context
    ) -> llm_pb2.GetCapabilitiesResponse:
        """See the proto."""
        engine = capabilities_pb2.EngineInfo(name=_BACKEND, state=capabilities_pb2.ENGINE_STATE_READY)
        return llm_pb2.GetCapabilitiesResponse(engines=[engine])

    def service(self) -> Service:
        """To be served."""

        def register(server: grpc.aio.Server) -> None:
            llm_pb2_grpc.add_LlmServiceServicer_to_server(self, server)

        descriptor = llm_pb2.DESCRIPTOR.services_by_name["LlmService"]
        return Service(
            descriptor=descriptor,
            register=register,
            limits={method.name: MethodLimits(LIMIT_S) for method in descriptor.methods},
            start=nothing,
            ready=lambda: True,
            keep_up=for_ever,
            close=nothing,
            registry=CollectorRegistry(),
        )
