"""Composition root of the mouth: settings → engines → servicer → serve."""

from collections.abc import Awaitable, Callable

import grpc
from prometheus_client import CollectorRegistry

from services.common.chain import Candidate, EngineChain
from services.common.lifecycle import MethodLimits, Service, run_service
from services.common.metrics import ChainMetrics
from services.tts.config import EngineName, TtsSection, TtsSettings
from services.tts.engine import TtsEngine
from services.tts.metrics import TtsMetrics
from services.tts.servicer import TtsServicer
from services.tts.speaker import Speaker
from superwhisper.tts.v1 import tts_pb2, tts_pb2_grpc


def build(settings: TtsSettings) -> Service:
    """The service, wired up."""
    tts = settings.tts
    registry = CollectorRegistry()
    loaders = _loaders(tts)
    chain = EngineChain([Candidate(name, loaders[name]) for name in tts.engines], ChainMetrics.create(registry, "tts"))
    speaker = Speaker(chain, TtsMetrics.create(registry), tts.piece_limit_s)
    servicer = TtsServicer(speaker, chain, tts)

    def register(server: grpc.aio.Server) -> None:
        tts_pb2_grpc.add_TtsServiceServicer_to_server(servicer, server)

    return Service(
        descriptor=tts_pb2.DESCRIPTOR.services_by_name["TtsService"],
        register=register,
        limits={
            "StreamingSynthesize": MethodLimits(tts.max_stream_s, tts.max_streams),
            "Synthesize": MethodLimits(tts.max_stream_s, tts.max_streams),
        },
        start=chain.start,
        ready=lambda: chain.ready,
        keep_up=chain.keep_up,
        close=chain.close,
        registry=registry,
        stuck=lambda: chain.stuck,
    )


def _loaders(tts: TtsSection) -> dict[EngineName, Callable[[], Awaitable[TtsEngine]]]:
    """How each engine is loaded. Imports wait until then: a missing library fails its engine, not the service."""

    async def espeak() -> TtsEngine:
        from services.tts.espeak import EspeakEngine  # noqa: PLC0415

        return await EspeakEngine.load(tts.espeak_voices)

    async def tone() -> TtsEngine:
        from services.tts.tone import ToneEngine  # noqa: PLC0415

        return ToneEngine()

    return {"espeak-ng": espeak, "tone": tone}


if __name__ == "__main__":
    run_service("tts", TtsSettings, build, lambda settings: settings.tts.server)
