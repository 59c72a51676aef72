"""Composition root of the ears: settings → engines → servicer → serve."""

import asyncio
from collections.abc import Awaitable, Callable

import grpc
from prometheus_client import CollectorRegistry

from services.common.chain import Candidate, EngineChain
from services.common.lifecycle import MethodLimits, Service, run_service
from services.common.metrics import ChainMetrics
from services.stt.config import EngineName, SttSection, SttSettings
from services.stt.engine import SttEngine
from services.stt.metrics import SttMetrics
from services.stt.servicer import SttServicer
from services.stt.vad import SileroDetector
from superwhisper.stt.v1 import stt_pb2, stt_pb2_grpc


def build(settings: SttSettings) -> Service:
    """The service, wired up."""
    stt = settings.stt
    registry = CollectorRegistry()
    loaders = _loaders(stt)
    chain = EngineChain([Candidate(name, loaders[name]) for name in stt.engines], ChainMetrics.create(registry, "stt"))
    draining = asyncio.Event()
    servicer = SttServicer(chain, SileroDetector, SttMetrics.create(registry), stt, draining)

    def register(server: grpc.aio.Server) -> None:
        stt_pb2_grpc.add_SttServiceServicer_to_server(servicer, server)

    async def close() -> None:
        await chain.close()
        servicer.close()

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
    )


def _loaders(stt: SttSection) -> dict[EngineName, Callable[[], Awaitable[SttEngine]]]:
    """How each engine is loaded. Imports wait until then: a missing library fails its engine, not the service."""

    async def pocketsphinx() -> SttEngine:
        from services.stt.sphinx import SphinxEngine  # noqa: PLC0415

        # A session for every utterance that can be spoken at once: in streams, in Recognize and in RecognizeFile.
        return await SphinxEngine.load(stt.max_streams + 2 * stt.max_recordings)

    return {"pocketsphinx": pocketsphinx}


if __name__ == "__main__":
    run_service("stt", SttSettings, build, lambda settings: settings.stt.server)
