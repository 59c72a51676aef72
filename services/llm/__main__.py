"""Composition root of the mind: settings → engines → servicer → serve."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence

import grpc
from prometheus_client import CollectorRegistry

from services.common.card import Card, CardSeeker, find_card
from services.common.chain import Candidate, EngineChain, EngineStatus
from services.common.errors import EngineFailedError, ModelError
from services.common.gpu import GB, OpenNvml
from services.common.lifecycle import MethodLimits, Service, run_service
from services.common.metrics import ChainMetrics
from services.common.models.store import ModelStore
from services.common.nvml import open_nvml
from services.llm.config import EndpointSection, LlamaSection, LlmSection, LlmSettings
from services.llm.engine import LlmEngine
from services.llm.fixed import FixedReplyEngine
from services.llm.gguf import read_header, vram_bytes
from services.llm.metrics import LlamaMetrics, LlmMetrics, StepMetrics
from services.llm.model_trial import try_out
from services.llm.servicer import LlmServicer
from services.llm.writer import Writer
from superwhisper.llm.v1 import llm_pb2, llm_pb2_grpc

_Load = Callable[[], Awaitable[LlmEngine]]


def build(settings: LlmSettings, open_driver: OpenNvml = open_nvml) -> Service:
    """The service, wired up."""
    llm, store = settings.llm, ModelStore(settings.models_dir)
    registry = CollectorRegistry()
    needs = {name: _vram_bytes(llm.llama_cpp[name], store) for name in llm.on_gpu}
    seeker = CardSeeker("llm", "the mind", llm.gpu, set(llm.engines), llm.on_gpu)
    card = find_card(seeker, open_driver, registry, lambda: _claimed_bytes(chain.status(), needs))
    metrics = LlamaMetrics(registry)
    candidates = [_candidate(name, llm, store, card, needs, metrics) for name in llm.engines]
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


def _candidate(
    name: str, llm: LlmSection, store: ModelStore, card: Card, needs: dict[str, int], metrics: LlamaMetrics
) -> Candidate[LlmEngine]:
    if name in llm.llama_cpp:
        section = llm.llama_cpp[name]
        load = _llama_loader(section, store, llm.max_turns, metrics.of(name))
        limit_s = 2 * section.load_limit_s  # the file is tried, then loaded
        if name in llm.on_gpu:
            return Candidate(name, load, card.obstacle(needs[name]), card.name, load_limit_s=limit_s)
        return Candidate(name, load, load_limit_s=limit_s)
    if name in llm.endpoints:
        return Candidate(name, _endpoint_loader(name, llm.endpoints[name], llm.max_turns))
    return Candidate(name, _fixed_reply_loader(llm.language_code), last_resort=True)


def _llama_loader(section: LlamaSection, store: ModelStore, max_turns: int, metrics: StepMetrics) -> _Load:
    """Imports wait until it loads: a missing library fails its engine, not the service."""

    async def load() -> LlmEngine:
        path = await asyncio.to_thread(store.verified_path, section.model)
        await try_out(path, section.load_limit_s, section.chat_template)
        # After the trial: a library built for another processor ends the process that loads it.
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


def _vram_bytes(section: LlamaSection, store: ModelStore) -> int:
    """What the model will take of the card; of one that is not there, nothing: its load will tell."""
    if section.vram_gb:
        return int(section.vram_gb * GB)
    try:
        return vram_bytes(read_header(store.path(section.model)), section.options(default_threads=1))
    except (ModelError, EngineFailedError):
        return 0


def _claimed_bytes(engines: Sequence[EngineStatus[LlmEngine]], needs: dict[str, int]) -> int:
    """What the loaded engines are said to take of the card."""
    return sum(needs.get(engine.name, 0) for engine in engines if engine.engine is not None)


if __name__ == "__main__":
    run_service("llm", LlmSettings, build, lambda settings: settings.llm.server)
