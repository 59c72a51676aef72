"""Composition root of the mind: settings → engines → servicer → serve."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import grpc
from prometheus_client import CollectorRegistry

from services.common.chain import Candidate, EngineChain
from services.common.lifecycle import MethodLimits, Service, run_service
from services.common.metrics import ChainMetrics
from services.common.models.store import ModelStore
from services.llm.config import EngineName, LlmSection, LlmSettings
from services.llm.engine import LlmEngine
from services.llm.metrics import LlmMetrics
from services.llm.servicer import LlmServicer
from services.llm.writer import Writer
from superwhisper.llm.v1 import llm_pb2, llm_pb2_grpc


def build(settings: LlmSettings) -> Service:
    """The service, wired up."""
    llm = settings.llm
    registry = CollectorRegistry()
    loaders = _loaders(llm, settings.models_dir)
    chain = EngineChain([Candidate(name, loaders[name]) for name in llm.engines], ChainMetrics.create(registry, "llm"))
    writer = Writer(chain, LlmMetrics.create(registry), llm)
    servicer = LlmServicer(writer, chain, llm)

    def register(server: grpc.aio.Server) -> None:
        llm_pb2_grpc.add_LlmServiceServicer_to_server(servicer, server)

    return Service(
        descriptor=llm_pb2.DESCRIPTOR.services_by_name["LlmService"],
        register=register,
        limits={"Generate": MethodLimits(llm.max_stream_s, llm.max_streams)},
        start=chain.start,
        ready=lambda: chain.ready,
        keep_up=chain.keep_up,
        close=chain.close,
        registry=registry,
        stuck=lambda: chain.stuck,
    )


def _loaders(llm: LlmSection, models_dir: Path) -> dict[EngineName, Callable[[], Awaitable[LlmEngine]]]:
    """How each engine is loaded. Imports wait until then: a missing library fails its engine, not the service."""

    async def llama_cpp() -> LlmEngine:
        from services.llm.llama_model import LlamaOptions  # noqa: PLC0415
        from services.llm.llamacpp import LlamaCppEngine, default_threads  # noqa: PLC0415

        path = await asyncio.to_thread(lambda: ModelStore(models_dir).verified_path(llm.model))
        options = LlamaOptions(llm.n_ctx, llm.n_batch, llm.n_threads or default_threads(), llm.n_gpu_layers)
        return await LlamaCppEngine.load(path, options, llm.load_limit_s)

    async def fixed_reply() -> LlmEngine:
        from services.llm.fixed import FixedReplyEngine  # noqa: PLC0415

        return FixedReplyEngine(llm.language_code)

    return {"llama.cpp": llama_cpp, "fixed-reply": fixed_reply}


if __name__ == "__main__":
    run_service("llm", LlmSettings, build, lambda settings: settings.llm.server)
