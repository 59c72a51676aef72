"""Composition root of the mouth: settings → engines → servicer → serve."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable

import grpc
from prometheus_client import CollectorRegistry

from services.common.cache import ResultCache
from services.common.caches import open_cache
from services.common.chain import Candidate, EngineChain
from services.common.lifecycle import MethodLimits, Service, run_service
from services.common.metrics import ChainMetrics
from services.common.models.store import ModelStore
from services.tts.cached import CachedEngine
from services.tts.config import EngineName, TtsSection, TtsSettings
from services.tts.engine import TtsEngine, VoiceChoice
from services.tts.intake import Intake
from services.tts.metrics import TtsMetrics
from services.tts.mouth import Mouth
from services.tts.pacing import patience_of
from services.tts.queued import QueuedEngine
from services.tts.reading.plain import ReadingOptions
from services.tts.servicer import TtsServicer
from services.tts.speaker import Speaker
from services.tts.tally import Tally
from services.tts.track import SpokenChunk
from services.tts.warm import warm
from services.tts.wire import one
from superwhisper.tts.v1 import tts_pb2, tts_pb2_grpc

_Load = Callable[[], Awaitable[TtsEngine]]


def build(settings: TtsSettings) -> Service:
    """The service, wired up."""
    tts = settings.tts
    registry = CollectorRegistry()
    cache = open_cache(tts.cache, registry, "tts")
    loaders = _loaders(tts, ModelStore(settings.models_dir), cache)
    candidates = [Candidate(name, loaders[name]) for name in tts.engines]
    # All at once: they are light, and which voices there are must not depend on what went wrong before.
    chain = EngineChain(candidates, ChainMetrics.create(registry, "tts"), at_start=len(candidates))
    speaker = Speaker(chain, TtsMetrics.create(registry), tts.wait_limit_s, tts.ahead_s)
    intake = Intake(patience_of(tts.clause_wait_ms / 1000), tts.max_text_characters)
    mouth = Mouth(intake, speaker, ReadingOptions.of(tts.reading))
    servicer = TtsServicer(mouth, chain, tts)

    def register(server: grpc.aio.Server) -> None:
        tts_pb2_grpc.add_TtsServiceServicer_to_server(servicer, server)

    knows_voices = asyncio.Event()

    async def start() -> None:
        await chain.start()
        knows_voices.set()
        await warm(tts.cache.warm, lambda language_code, text: _say(mouth, language_code, text))

    async def close() -> None:
        await chain.close()
        await cache.close()

    return Service(
        descriptor=tts_pb2.DESCRIPTOR.services_by_name["TtsService"],
        register=register,
        limits={
            "StreamingSynthesize": MethodLimits(tts.max_stream_s, tts.max_streams),
            "Synthesize": MethodLimits(tts.max_stream_s, tts.max_streams),
        },
        start=start,
        ready=lambda: knows_voices.is_set() and chain.ready,
        keep_up=chain.keep_up,
        close=close,
        registry=registry,
        stuck=lambda: chain.stuck,
    )


def _say(mouth: Mouth, language_code: str, text: str) -> AsyncGenerator[SpokenChunk, None]:
    return mouth.say(one(text), VoiceChoice(language_code=language_code), None, Tally())


def _loaders(tts: TtsSection, store: ModelStore, cache: ResultCache) -> dict[EngineName, _Load]:
    """How each engine is loaded. Imports wait until then: a missing library fails its engine, not the service."""

    async def piper() -> TtsEngine:
        from services.tts.piper import PiperEngine  # noqa: PLC0415

        engine = await PiperEngine.load(tts.piper, store.verified_path)
        return CachedEngine(QueuedEngine(engine, tts.piper.parallel, tts.piece_limit_s), cache)

    async def espeak() -> TtsEngine:
        from services.tts.espeak import EspeakEngine  # noqa: PLC0415

        engine = await EspeakEngine.load(tts.espeak_voices)
        return CachedEngine(QueuedEngine(engine, 1, tts.piece_limit_s), cache)

    async def tone() -> TtsEngine:
        from services.tts.tone import ToneEngine  # noqa: PLC0415

        return ToneEngine()

    return {"piper": piper, "espeak-ng": espeak, "tone": tone}


if __name__ == "__main__":
    run_service("tts", TtsSettings, build, lambda settings: settings.tts.server)
