"""Composition root of the mind: settings → engines → servicer → serve."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence

import grpc
from prometheus_client import CollectorRegistry

from services.common.card import Card, CardSeeker, find_card
from services.common.chain import Candidate, EngineChain, EngineStatus
from services.common.gpu import OpenNvml
from services.common.lifecycle import MethodLimits, Service, run_service
from services.common.metrics import ChainMetrics
from services.common.models.store import ModelStore
from services.common.nvml import open_nvml
from services.llm.config import FIXED_REPLY, EndpointSection, LlamaSection, LlmSection, LlmSettings
from services.llm.engine import LlmEngine
from services.llm.fixed import FixedReplyEngine
from services.llm.metrics import LlamaMetrics, LlmMetrics, StepMetrics
from services.llm.model_trial import try_out
from services.llm.servicer import LlmServicer
from services.llm.vram import VramNeed
from services.llm.writer import Writer
from superwhisper.llm.v1 import llm_pb2, llm_pb2_grpc

_Load = Callable[[], Awaitable[LlmEngine]]


def build(settings: LlmSettings, open_driver: OpenNvml = open_nvml) -> Service:
    """The service, wired up."""
    llm, store = settings.llm, ModelStore(settings.models_dir)
    registry = CollectorRegistry()
    needs = {name: VramNeed(llm.llama_cpp[name], store) for name in llm.on_gpu}
    seeker = CardSeeker("llm", "the mind", llm.gpu, set(llm.engines), llm.on_gpu)
    card = find_card(seeker, open_driver, registry, lambda: _claimed_bytes(chain.status(), needs))
    metrics = LlamaMetrics(registry)
    loaders = {name: _loader(name, llm, store, metrics) for name in llm.engines}
    candidates = [_candidate(name, loaders[name], llm, card, needs.get(name)) for name in llm.engines]
    chain = EngineChain(candidates, ChainMetrics.create(registry, "llm"), look=card.look)
    servicer = LlmServicer(Writer(chain, LlmMetrics.create(registry), llm), chain, llm)

    def register(server: grpc.aio.Server) -> None:
        llm_pb2_grpc.add_LlmServiceServicer_to_server(servicer, server)

    async def close() -> None:
        await chain.close()
        await card.close()

    return Service(
        descriptor=llm_pb2.DESCRIPTOR.services_by_name["LlmService"],
        register=register,
        limits={"Generate": MethodLimits(llm.max_stream_s, llm.max_streams)},
        start=chain.start,
        ready=lambda: chain.ready,
        keep_up=chain.keep_up,
        close=close,
        registry=registry,
        stuck=lambda: chain.stuck,
    )


def _candidate(name: str, load: _Load, llm: LlmSection, card: Card, need: VramNeed | None) -> Candidate[LlmEngine]:
    if name not in llm.llama_cpp:
        return Candidate(name, load, last_resort=name == FIXED_REPLY)
    limit_s = 2 * llm.llama_cpp[name].load_limit_s  # the file is tried, then loaded
    if need is None:
        return Candidate(name, load, load_limit_s=limit_s)
    return Candidate(name, load, lambda loaded: need.obstacle(card, loaded=loaded), card.name, load_limit_s=limit_s)


def _loader(name: str, llm: LlmSection, store: ModelStore, metrics: LlamaMetrics) -> _Load:
    if name in llm.llama_cpp:
        return _llama_loader(llm.llama_cpp[name], store, llm.max_turns, metrics.of(name))
    if name in llm.endpoints:
        return _endpoint_loader(name, llm.endpoints[name], llm.max_turns)
    return _fixed_reply_loader(llm.language_code)


def _llama_loader(section: LlamaSection, store: ModelStore, max_turns: int, metrics: StepMetrics) -> _Load:
    tried: os.stat_result | None = None  # the file that was found good: it need not be tried each time it is loaded

    async def load() -> LlmEngine:
        nonlocal tried
        path = await asyncio.to_thread(store.verified_path, section.model)
        file = path.stat()
        if tried is None or (file.st_size, file.st_mtime_ns) != (tried.st_size, tried.st_mtime_ns):
            await try_out(path, section.load_limit_s, section.chat_template, needs_gpu=section.on_gpu)
            tried = file
        # After the trial: a library that is missing, or built for another processor, fails its engine alone.
        from services.llm.llamacpp import LlamaCppEngine, LlamaLimits, default_threads  # noqa: PLC0415

        limits = LlamaLimits(section.step_limit_s, max_turns)
        return await LlamaCppEngine.load(path, section.options(default_threads()), limits, metrics)

    return load


def _endpoint_loader(name: str, section: EndpointSection, max_turns: int) -> _Load:
    async def load() -> LlmEngine:
        from services.llm.endpoint import EndpointEngine  # noqa: PLC0415

        api_key = os.environ.get(section.api_key_env, "") if section.api_key_env else ""
        return await EndpointEngine.load(name, section, api_key, max_turns)

    return load


def _fixed_reply_loader(language_code: str) -> _Load:
    async def load() -> LlmEngine:
        return FixedReplyEngine(language_code)

    return load


def _claimed_bytes(engines: Sequence[EngineStatus[LlmEngine]], needs: dict[str, VramNeed]) -> int:
    """What the loaded engines are said to take of the card."""
    loaded = [engine.name for engine in engines if engine.engine is not None]
    return sum(needs[name].bytes() for name in loaded if name in needs)


if __name__ == "__main__":
    run_service("llm", LlmSettings, build, lambda settings: settings.llm.server)
