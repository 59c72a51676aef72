"""The llama.cpp engine: one model, one context, one thread; all replies under way advance together, step by step."""

import asyncio
import contextlib
import os
from collections.abc import AsyncGenerator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

from services.common.errors import UnavailableError
from services.common.threads import EngineThreads
from services.llm.batching import Batching
from services.llm.engine import ChatMessage, Generation, ReplyEvent, Role, Sampling
from services.llm.llama_context import LlamaContext
from services.llm.llama_driver import LlamaDriver
from services.llm.llama_model import LlamaModel
from services.llm.llama_options import READING_STACK_BYTES, LlamaOptions
from services.llm.llama_prompt import LlamaPrompts
from services.llm.metrics import StepMetrics

_WARM_UP = Generation(
    conversation_id="",
    messages=(ChatMessage(Role.USER, "Hello"),),
    sampling=Sampling(temperature=0, top_p=1, top_k=0, min_p=0, repeat_penalty=1, max_tokens=1),
    language_code="",
)


@dataclass(frozen=True)
class LlamaLimits:
    """How long a step may take, and how much of a history is read."""

    step_s: float = 10.0
    max_turns: int = 50


class LlamaCppEngine:
    """Prepares replies, and has a driver write them."""

    def __init__(self, model: LlamaModel, driver: LlamaDriver, prompts: LlamaPrompts) -> None:
        self._model = model
        self._driver = driver
        self._prompts = prompts
        # A thread of its own, so that a long prompt's text keeps no step waiting.
        self._reading = EngineThreads(1, "llama.cpp prompts", stack_bytes=READING_STACK_BYTES)
        self._is_closing = False

    @classmethod
    async def load(
        cls, path: Path, options: LlamaOptions, limits: LlamaLimits, metrics: StepMetrics
    ) -> "LlamaCppEngine":
        """Loads the file, and writes a token, so that the first caller need not wait."""
        model, context = await _load_in_a_thread(path, options)
        batching = Batching(options.sequences, options.batch_tokens, can_cut=model.can_cut)
        driver = LlamaDriver(model, context, batching, limits.step_s, metrics)
        engine = cls(model, driver, LlamaPrompts(model, limits.max_turns, thinking=options.thinking))
        try:
            async for _ in engine.generate(_WARM_UP):
                pass
        except BaseException:
            await engine.close()
            raise
        return engine

    @property
    def context_tokens(self) -> int:
        """Tokens that prompt and reply may have together."""
        return self._model.context_tokens

    @property
    def supports_tools(self) -> bool:
        """Whether the model's chat template knows tools."""
        return self._model.template.supports_tools

    @property
    def supports_formats(self) -> bool:
        """Always."""
        return True

    @property
    def is_late(self) -> bool:
        """Whether nothing should be expected of it now."""
        return self._driver.is_late

    @property
    def stuck(self) -> str | None:
        """Why its threads must be taken for lost, if they must."""
        return self._driver.stuck or self._reading.stuck

    async def generate(self, request: Generation) -> AsyncGenerator[ReplyEvent, None]:
        """The next message, as it is written."""
        self._check_open()
        reply = await self._reading.run(lambda _stop: self._prompts.prepare(request))
        self._check_open()
        self._driver.add(reply)
        try:
            async with aclosing(reply.events()) as events:
                async for event in events:
                    yield event
        finally:
            self._driver.leave(reply)

    async def close(self) -> None:
        """Ends every reply, and frees the model."""
        self._is_closing = True
        nobody_reads = self._reading.submit(lambda: None)  # for a prompt needs the model's vocabulary
        self._reading.shutdown(wait=False)
        await self._driver.close(nobody_reads)

    def _check_open(self) -> None:
        if self._is_closing or self._driver.is_closed:
            raise UnavailableError("the engine is closed")


async def _load_in_a_thread(path: Path, options: LlamaOptions) -> tuple[LlamaModel, LlamaContext]:
    """Who does not wait for it leaves nothing behind: it is freed as soon as it is loaded."""
    thread = ThreadPoolExecutor(1, "llama.cpp load")
    loading = thread.submit(_load, path, options)
    thread.shutdown(wait=False)
    try:
        return await asyncio.shield(asyncio.wrap_future(loading))
    except asyncio.CancelledError:
        loading.add_done_callback(_free_what_was_loaded)
        raise


def _free_what_was_loaded(loading: "Future[tuple[LlamaModel, LlamaContext]]") -> None:
    if not loading.cancelled() and loading.exception() is None:
        model, context = loading.result()
        context.close()
        model.close()


def _load(path: Path, options: LlamaOptions) -> tuple[LlamaModel, LlamaContext]:
    model = LlamaModel(path, options)
    try:
        return model, LlamaContext(model, options)
    except BaseException:
        model.close()
        raise


def default_threads() -> int:
    """One a physical core that this process may use: two on one core only take turns."""
    cpus = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set(range(os.cpu_count() or 1))
    cores = set()
    for cpu in cpus:
        siblings = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")
        with contextlib.suppress(OSError):
            cores.add(siblings.read_text(encoding="ascii"))
    return len(cores) or len(cpus)
