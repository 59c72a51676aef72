"""What becomes of replies when llama.cpp itself fails or hangs in a step."""

import asyncio
import threading
from collections.abc import AsyncIterator
from concurrent.futures import Future
from contextlib import asynccontextmanager

import pytest
from prometheus_client import CollectorRegistry

from services.common.errors import EngineFailedError, UnavailableError
from services.llm.batching import Batching, Feed, Job, Step
from services.llm.engine import Finished
from services.llm.llama_context import LlamaContext
from services.llm.llama_driver import LlamaDriver
from services.llm.llama_model import LlamaModel
from services.llm.llama_prompt import LlamaPrompts
from services.llm.llama_reply import LlamaReply
from services.llm.llama_sampler import LlamaSampler
from services.llm.metrics import LlamaMetrics
from services.llm.reply_reader import ReplyReader
from tests.support.llm import GREEDY, TINY, collect, generation, tiny_model
from tests.support.waiting import wait_until


class HangingContext(LlamaContext):
    """A real one whose steps do not come back while it is told so: a driver that is wedged."""

    def __init__(self, model: LlamaModel) -> None:
        super().__init__(model, TINY)
        self.goes_on = threading.Event()
        self.goes_on.set()
        self.hangs = threading.Event()
        self.is_freed = False

    def close(self) -> None:
        self.is_freed = True
        super().close()

    def run(self, step: Step) -> dict[Feed, int]:
        if not self.goes_on.is_set():
            self.hangs.set()
        self.goes_on.wait()
        return super().run(step)


class Bench:
    """A driver of a real model."""

    def __init__(self, step_limit_s: float = 60) -> None:
        self.model = LlamaModel(tiny_model(), TINY)
        self.context = HangingContext(self.model)
        metrics = LlamaMetrics(CollectorRegistry()).of("llama.cpp")
        batching = Batching(TINY.sequences, TINY.batch_tokens)
        self.driver = LlamaDriver(self.model, self.context, batching, step_limit_s, metrics)

    def begin(self, *said: str) -> LlamaReply:
        reply = LlamaPrompts(self.model, 50, thinking=False).prepare(generation(*said, name=said[0]))
        self.driver.add(reply)
        return reply

    def begin_impossible(self) -> LlamaReply:
        """A token that the model does not have: llama.cpp refuses the whole step."""
        sampler = LlamaSampler(self.model, GREEDY)
        reply = LlamaReply(Job("", [self.model.vocabulary_size + 1]), sampler, ReplyReader(()), 5)
        self.driver.add(reply)
        return reply


def _nobody() -> "Future[None]":
    """Nobody else uses the model."""
    nobody: Future[None] = Future()
    nobody.set_result(None)
    return nobody


@asynccontextmanager
async def bench(step_limit_s: float = 60) -> AsyncIterator[Bench]:
    made = Bench(step_limit_s)
    try:
        yield made
    finally:
        made.context.goes_on.set()
        await made.driver.close(_nobody())


async def test_a_step_that_fails_ends_its_replies_and_the_next_ones_are_as_before() -> None:
    async with bench() as made:
        expected, _ = await collect(made.begin("Once upon a time").events())
        impossible, innocent = made.begin_impossible(), made.begin("Once upon a time")
        for reply in (impossible, innocent):
            with pytest.raises(EngineFailedError, match="cannot go on"):
                await collect(reply.events())
        assert (await collect(made.begin("Once upon a time").events()))[0] == expected
        assert made.driver.stuck is None


async def test_a_step_that_hangs_is_told_and_nobody_waits_for_it() -> None:
    async with bench(step_limit_s=0.2) as made:
        made.context.goes_on.clear()
        reply = made.begin("Once")
        await wait_until(made.context.hangs.is_set, "the step")
        await wait_until(lambda: made.driver.stuck is not None, "the watchdog")
        assert "a step of llama.cpp has not come back" in str(made.driver.stuck)
        made.driver.leave(reply)
        made.context.goes_on.set()
        await wait_until(lambda: made.driver.stuck is None, "the end of the step")
        _, finished = await collect(made.begin("Once").events())
        assert isinstance(finished, Finished)


async def test_it_is_freed_though_whoever_closed_it_did_not_wait_so_long() -> None:
    made = Bench(step_limit_s=0.1)  # whoever closes it waits for the step as long as that
    made.context.goes_on.clear()
    made.begin("Once")
    await wait_until(made.context.hangs.is_set, "the step")
    somebody_reads: Future[None] = Future()
    closing = asyncio.create_task(made.driver.close(somebody_reads))
    await asyncio.sleep(0)
    closing.cancel()
    await asyncio.wait([closing])
    made.context.goes_on.set()
    assert not made.context.is_freed
    somebody_reads.set_result(None)
    await wait_until(lambda: made.context.is_freed, "the end of the context")


async def test_when_it_is_closed_whoever_waits_is_told() -> None:
    async with bench() as made:
        made.context.goes_on.clear()
        reading = asyncio.create_task(collect(made.begin("Once").events()))
        await wait_until(made.context.hangs.is_set, "the step")
    with pytest.raises(UnavailableError, match="closed"):
        await reading
    assert made.driver.is_closed
