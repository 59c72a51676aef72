"""The scripted mind: LlmService of known speed."""

# ruff: noqa: N802  # gRPC's method names

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing

from services.common.errors import InvalidInputError
from superwhisper.common.v1 import capabilities_pb2
from superwhisper.llm.v1 import llm_pb2, llm_pb2_grpc
from tests.fakes.scripted_services.records import Recorder
from tests.fakes.scripted_services.script import OPENING_TOKENS, MindSpeed, number_in, reply
from tests.support.scripted import Context

BACKEND = "scripted-mind"


class ScriptedMind(llm_pb2_grpc.LlmServiceServicer):
    """Replies to each sentence of the script."""

    def __init__(self, speed: MindSpeed) -> None:
        self._speed = speed

    async def Generate(
        self, request: llm_pb2.GenerateRequest, context: Context
    ) -> AsyncGenerator[llm_pb2.GenerateResponse, None]:
        """See the proto."""
        if not request.messages or request.messages[-1].role != llm_pb2.ROLE_USER:
            raise InvalidInputError("messages", "the last one must be the person's")
        recorder = Recorder("llm")
        recorder.number = number_in(request.messages[-1].content)
        recorder.note("began")
        outcome = "cancelled"
        try:
            async with aclosing(self._reply(recorder)) as responses:
                async for response in responses:
                    yield response
            outcome = "finished"
        finally:
            recorder.write(outcome)

    async def GetCapabilities(
        self, request: llm_pb2.GetCapabilitiesRequest, context: Context
    ) -> llm_pb2.GetCapabilitiesResponse:
        """See the proto."""
        engine = capabilities_pb2.EngineInfo(name=BACKEND, state=capabilities_pb2.ENGINE_STATE_READY)
        return llm_pb2.GetCapabilitiesResponse(engines=[engine])

    async def _reply(self, recorder: Recorder) -> AsyncGenerator[llm_pb2.GenerateResponse, None]:
        began = time.monotonic()
        first_s = self._speed.first_token_ms / 1000
        tokens = reply(recorder.number, self._speed.reply_tokens)
        for written, token in enumerate(tokens):
            await _until(began + first_s + written / self._speed.tokens_per_s)
            recorder.note("first")
            if written + 1 == OPENING_TOKENS:
                recorder.note("clause")
            yield llm_pb2.GenerateResponse(text_delta=token)
        yield llm_pb2.GenerateResponse(
            finished=llm_pb2.GenerationFinished(
                finish_reason=llm_pb2.FINISH_REASON_STOP,
                usage=llm_pb2.Usage(completion_tokens=len(tokens)),
                backend=BACKEND,
                timings=llm_pb2.GenerationTimings(
                    first_token_ms=self._speed.first_token_ms, total_ms=(time.monotonic() - began) * 1000
                ),
            )
        )


async def _until(moment: float) -> None:
    await asyncio.sleep(max(0.0, moment - time.monotonic()))
