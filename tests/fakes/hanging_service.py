"""A service whose best engine hangs in a blocking call: `HANGS=call python -m tests.fakes.hanging_service FLAGS`.

`HANGS=load`: already while it is loaded. The wire is TtsService's: ListVoices tells which engine answered, and
StreamingSynthesize answers each text with an empty message, whatever the engines do.
"""

import os

from prometheus_client import CollectorRegistry

from services.common.chain import Candidate, EngineChain
from services.common.lifecycle import Service, run_service
from services.common.metrics import ChainMetrics
from services.tts.config import TtsSettings
from superwhisper.tts.v1 import tts_pb2
from tests.fakes.engines import HangingEngine, ScriptedEngine
from tests.support.scripted import Context, scripted_service


async def _load_hanging() -> ScriptedEngine:
    engine = HangingEngine("hanging", grace_s=2, lost_after_s=4)
    if os.environ["HANGS"] == "load":
        await engine.answer()
    return engine


async def _load_spare() -> ScriptedEngine:
    return ScriptedEngine("spare")


def build(settings: TtsSettings) -> Service:
    """The chain of the two."""
    candidates = [Candidate("hanging", _load_hanging), Candidate("spare", _load_spare)]
    chain = EngineChain(candidates, ChainMetrics.create(CollectorRegistry(), "tts"))

    async def once(request: tts_pb2.ListVoicesRequest, context: Context) -> tts_pb2.ListVoicesResponse:
        answer = await chain.call(lambda engine: engine.answer(), settings.tts.piece_limit_s)
        return tts_pb2.ListVoicesResponse(voices=[tts_pb2.Voice(name=answer.backend)])

    return scripted_service(
        once=once,
        start=chain.start,
        ready=lambda: chain.ready,
        keep_up=chain.keep_up,
        close=chain.close,
        stuck=lambda: chain.stuck,
    )


if __name__ == "__main__":
    run_service("tts", TtsSettings, build, lambda settings: settings.tts.server)
