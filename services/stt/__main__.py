"""Composition root of the ears: settings → engines → servicer → serve."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import grpc
from prometheus_client import CollectorRegistry

from services.common.caches import open_cache
from services.common.card import Card, CardSeeker, find_card
from services.common.chain import Candidate, EngineChain, EngineStatus
from services.common.errors import ModelError
from services.common.gpu import GB
from services.common.lifecycle import MethodLimits, Service, run_service
from services.common.metrics import ChainMetrics
from services.common.models.store import ModelStore
from services.common.nvml import open_nvml
from services.stt.config import POCKETSPHINX, SttSection, SttSettings, WhisperSection
from services.stt.engine import SttEngine
from services.stt.intake import Intake
from services.stt.metrics import DecoderMetrics, SttMetrics, WhisperMetrics
from services.stt.segmenters import Segmenters
from services.stt.servicer import SttServicer
from services.stt.smart_turn import SmartTurn
from services.stt.transcripts import Transcripts
from services.stt.turn_detector import TurnDetector
from services.stt.vad import SileroDetector, load_silero
from superwhisper.stt.v1 import stt_pb2, stt_pb2_grpc

_log = logging.getLogger(__name__)
_Load = Callable[[], Awaitable[SttEngine]]


def build(settings: SttSettings) -> Service:
    """The service, wired up."""
    stt, store = settings.stt, ModelStore(settings.models_dir)
    registry = CollectorRegistry()
    metrics = SttMetrics.create(registry)
    card = find_card(_seeker(stt), open_nvml, registry, lambda: _claimed_bytes(chain.status(), stt))
    loaders = _loaders(stt, store, WhisperMetrics.create(registry))
    candidates = [_candidate(name, loaders[name], stt, card) for name in stt.engines]
    chain = EngineChain(candidates, ChainMetrics.create(registry, "stt"), look=card.look)
    cache = open_cache(stt.cache, registry, "stt")
    segmenters = _segmenters(stt, store, metrics)
    draining = asyncio.Event()
    transcripts = Transcripts(chain, metrics, cache, _engines(stt), stt.recording_limit_s)
    intake = Intake(stt, metrics, draining)
    servicer = SttServicer(chain, intake, segmenters, transcripts, metrics, stt)

    def register(server: grpc.aio.Server) -> None:
        stt_pb2_grpc.add_SttServiceServicer_to_server(servicer, server)

    async def close() -> None:
        await chain.close()
        await card.close()
        await cache.close()
        segmenters.close()

    return Service(
        descriptor=stt_pb2.DESCRIPTOR.services_by_name["SttService"],
        register=register,
        limits={
            "StreamingRecognize": MethodLimits(stt.max_stream_s, stt.max_streams),
            "Recognize": MethodLimits(stt.max_recording_s, stt.max_recordings),
            "RecognizeFile": MethodLimits(stt.max_recording_s, stt.max_recordings),
        },
        start=chain.start,
        ready=lambda: chain.ready,
        keep_up=chain.keep_up,
        close=close,
        registry=registry,
        draining=draining,
        stuck=lambda: chain.stuck or segmenters.stuck,
    )


def _seeker(stt: SttSection) -> CardSeeker:
    return CardSeeker("stt", "the ears", stt.gpu, set(stt.engines), stt.on_gpu)


def _segmenters(stt: SttSection, store: ModelStore, metrics: SttMetrics) -> Segmenters:
    silero = load_silero()
    return Segmenters(lambda: SileroDetector(silero), _turn_detector(stt.turn_detector, store), metrics)


def _turn_detector(name: str, store: ModelStore) -> TurnDetector | None:
    """Judges turns, where it is wanted and there. Without it the ears hear as well, they only wait longer."""
    if not name:
        return None
    try:
        return SmartTurn(store.verified_path(name))
    except ModelError as error:
        _log.warning("silence alone ends turns: %s", error)
        return None


def _engines(stt: SttSection) -> dict[str, str]:
    """What makes the transcripts of each engine what they are."""
    return {name: stt.whisper[name].model_dump_json() if name in stt.whisper else name for name in stt.engines}


def _candidate(name: str, load: _Load, stt: SttSection, card: Card) -> Candidate[SttEngine]:
    if name not in stt.on_gpu:
        return Candidate(name, load)
    return Candidate(name, load, card.obstacle(_vram_bytes(name, stt)), card.name)


def _claimed_bytes(engines: Sequence[EngineStatus[SttEngine]], stt: SttSection) -> int:
    """What the loaded engines are said to take of the card."""
    loaded = [engine.name for engine in engines if engine.engine is not None and engine.name in stt.on_gpu]
    return sum(_vram_bytes(name, stt) for name in loaded)


def _vram_bytes(name: str, stt: SttSection) -> int:
    return int(stt.whisper[name].vram_gb * GB)


def _loaders(stt: SttSection, store: ModelStore, metrics: WhisperMetrics) -> dict[str, _Load]:
    """How each engine is loaded. Imports wait until then: a missing library fails its engine, not the service."""

    async def pocketsphinx() -> SttEngine:
        from services.stt.sphinx import SphinxEngine  # noqa: PLC0415

        # A session for every utterance that can be spoken at once: in streams, in Recognize and in RecognizeFile.
        return await SphinxEngine.load(stt.max_streams + 2 * stt.max_recordings)

    whispers = {
        name: _whisper_loader(name, section, store, DecoderMetrics(name, metrics))
        for name, section in stt.whisper.items()
    }
    return {POCKETSPHINX: pocketsphinx, **whispers}


def _whisper_loader(name: str, section: WhisperSection, store: ModelStore, metrics: DecoderMetrics) -> _Load:
    async def load() -> SttEngine:
        from services.stt.whisper import WhisperEngine  # noqa: PLC0415
        from services.stt.whisper_model import WhisperModel  # noqa: PLC0415

        def make() -> WhisperModel:
            return WhisperModel(_folder(section.model, store), section.options(), metrics)

        return await WhisperEngine.load(name, make, metrics, section.scheduling())

    return load


def _folder(model: str, store: ModelStore) -> Path:
    """Of a model by its size, by its name in models.toml, or by its own path."""
    by_size = f"whisper-{model}"
    return store.verified_path(by_size if any(known.name == by_size for known in store.registry) else model)


if __name__ == "__main__":
    run_service("stt", SttSettings, build, lambda settings: settings.stt.server)
