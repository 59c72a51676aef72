"""Token for token: what conversations write together, on the embedded model, is what each writes alone."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import Future
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from prometheus_client import CollectorRegistry

from services.common.config_files import default_models_dir
from services.common.models.store import ModelStore
from services.llm.batching import Batching
from services.llm.engine import ChatMessage, Role
from services.llm.llama_context import LlamaContext
from services.llm.llama_driver import LlamaDriver
from services.llm.llama_model import LlamaModel
from services.llm.llama_options import LlamaOptions
from services.llm.llama_prompt import LlamaPrompts
from services.llm.metrics import LlamaMetrics
from tests.support.llm import GREEDY, collect, generation, small_model

# One thread: others at work on the same cores would stretch the test to minutes.
OPTIONS = LlamaOptions(context_tokens=1024, sequences=8, batch_tokens=64, threads=1)
CONVERSATIONS = 8
# Beyond 512 tokens, where llama.cpp computes attention in another way for one conversation than for several (f16).
SYSTEM = ChatMessage(Role.SYSTEM, "You are a voice assistant. Answer in one or two short sentences. " * 40)
QUESTIONS = ("What is rain?", "Why is the sky blue?", "Who was Molière?", "How do whales sleep?")


@dataclass
class Bench:
    """A driver of the embedded model."""

    prompts: LlamaPrompts
    driver: LlamaDriver

    async def converse(self, number: int) -> list[list[int]]:
        """The tokens of two turns, prompts included."""
        said: list[str] = []
        tokens = []
        for turn in range(2):
            said.append(f"{QUESTIONS[(number + turn) % len(QUESTIONS)]} I am {number + 5} years old.")
            request = generation(*said, sampling=replace(GREEDY, max_tokens=16), name=f"conversation {number}")
            reply = self.prompts.prepare(replace(request, messages=(SYSTEM, *request.messages)))
            self.driver.add(reply)
            text, _ = await collect(reply.events())
            said.append(text)
            tokens.append(list(reply.job.tokens))
        return tokens


@asynccontextmanager
async def bench(path: Path, sequences: int) -> AsyncIterator[Bench]:
    options = replace(OPTIONS, sequences=sequences)
    model = LlamaModel(path, options)
    batching = Batching(options.sequences, options.batch_tokens)
    metrics = LlamaMetrics(CollectorRegistry()).of("llama.cpp")
    nobody: Future[None] = Future()
    nobody.set_result(None)
    driver = LlamaDriver(model, LlamaContext(model, options), batching, 60, metrics)
    try:
        yield Bench(LlamaPrompts(model, 50, thinking=False), driver)
    finally:
        await driver.close(nobody)


async def test_the_same_tokens_with_and_without_company() -> None:
    path = ModelStore(default_models_dir()).path(small_model())
    async with bench(path, 1) as made:  # each conversation evicts the one before
        alone = [await made.converse(number) for number in range(CONVERSATIONS)]
    assert all(len(turns[0]) > 512 for turns in alone)
    for sequences in (3, CONVERSATIONS):
        async with bench(path, sequences) as made:
            together = await asyncio.gather(*(made.converse(number) for number in range(CONVERSATIONS)))
        assert list(together) == alone
