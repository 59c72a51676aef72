"""Wire ⇄ domain for the mind."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

import grpc

from services.common.capabilities import engine_infos
from services.common.chain import EngineChain
from services.llm.config import LlmSection
from services.llm.engine import LlmEngine
from services.llm.wire import read_request, write_event
from services.llm.writer import Tally, Writer
from superwhisper.common.v1 import capabilities_pb2
from superwhisper.llm.v1 import llm_pb2, llm_pb2_grpc

_Context = grpc.aio.ServicerContext[object, object]


class LlmServicer(llm_pb2_grpc.LlmServiceServicer):
    """Translates; the Writer has the reply written."""

    def __init__(self, writer: Writer, chain: EngineChain[LlmEngine], settings: LlmSection) -> None:
        self._writer = writer
        self._chain = chain
        self._settings = settings

    async def Generate(
        self, request: llm_pb2.GenerateRequest, context: _Context
    ) -> AsyncGenerator[llm_pb2.GenerateResponse, None]:
        """See the proto."""
        tally = Tally()
        generation = read_request(request, self._settings)
        async with aclosing(self._writer.write(generation, tally)) as answers:
            async for answer in answers:
                yield write_event(answer.value, answer.backend, _timings(tally))

    async def GetCapabilities(
        self, request: llm_pb2.GetCapabilitiesRequest, context: _Context
    ) -> llm_pb2.GetCapabilitiesResponse:
        """See the proto."""
        engines = self._chain.status()
        loaded = [status.engine for status in engines if status.engine is not None]
        return llm_pb2.GetCapabilitiesResponse(
            engines=engine_infos(engines, lambda _: ()),
            limits=capabilities_pb2.Limits(
                max_stream_ms=int(self._settings.max_stream_s * 1000),
                max_concurrent_streams=self._settings.max_streams,
                max_text_characters=self._settings.max_text_characters,
            ),
            context_tokens=max((engine.context_tokens for engine in loaded), default=0),
            max_reply_tokens=self._settings.max_reply_tokens,
            supports_tools=any(engine.supports_tools for engine in loaded),
            supports_response_format=any(engine.supports_formats for engine in loaded),
        )


def _timings(tally: Tally) -> llm_pb2.GenerationTimings:
    return llm_pb2.GenerationTimings(
        queued_ms=tally.queued_ms, first_token_ms=tally.first_token_ms, total_ms=tally.total_ms
    )
