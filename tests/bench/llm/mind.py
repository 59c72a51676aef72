"""The engine of the service, in this process."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge, Histogram

from services.llm.engine import ChatMessage, Finished, Generation, TextDelta, Usage
from services.llm.llama_options import LlamaOptions
from services.llm.llamacpp import LlamaCppEngine, LlamaLimits
from services.llm.metrics import StepMetrics
from tests.bench.llm.written import SAMPLING, Written

_STEP_LIMIT_S = 60.0  # a busy machine is no reason to give up


class Mind:
    """The engine, and whether it works."""

    def __init__(self, engine: LlamaCppEngine, live: "_Live") -> None:
        self.engine = engine
        self._live = live

    @classmethod
    @asynccontextmanager
    async def loaded(cls, path: Path, options: LlamaOptions) -> "AsyncIterator[Mind]":
        """With its model; closed at the end."""
        registry = CollectorRegistry()
        live = _Live(registry)
        seconds = Histogram("llm_step_seconds", "A step of all replies together", registry=registry)
        kept = Gauge("llm_kept_tokens", "Tokens that are remembered", registry=registry)
        metrics = StepMetrics(seconds, live, kept)
        engine = await LlamaCppEngine.load(path, options, LlamaLimits(_STEP_LIMIT_S), metrics)
        try:
            yield cls(engine, live)
        finally:
            await engine.close()

    async def write(self, messages: Sequence[ChatMessage], tokens: int, *, seed: int = 0, name: str = "") -> Written:
        """A reply of at most so many tokens, in the conversation of that name."""
        began_s, at_s, texts, usage = time.perf_counter(), [], [], Usage()
        async for event in self.engine.generate(request(messages, tokens, seed=seed, name=name)):
            if isinstance(event, TextDelta):
                at_s.append(time.perf_counter())
                texts.append(event.text)
            elif isinstance(event, Finished):
                usage = event.usage
        return Written("".join(texts), began_s, tuple(at_s), usage)

    async def busy(self) -> None:
        """Returns once a sequence is in use."""
        await self._live.some.wait()

    async def free(self) -> None:
        """Returns once none is."""
        await self._live.none.wait()


def request(messages: Sequence[ChatMessage], tokens: int, *, seed: int = 0, name: str = "") -> Generation:
    """As the engine is asked."""
    return Generation(name, tuple(messages), replace(SAMPLING, max_tokens=tokens, seed=seed), "en")


class _Live(Gauge):
    """Sequences in use. One can wait for it, because looking at it again and again would take time from llama.cpp."""

    def __init__(self, registry: CollectorRegistry) -> None:
        super().__init__("llm_active_sequences", "Replies that are being read for or written", registry=registry)
        self.none, self.some = asyncio.Event(), asyncio.Event()

    def set(self, value: float) -> None:
        super().set(value)
        holds, fails = (self.some, self.none) if value else (self.none, self.some)
        holds.set()
        fails.clear()
