"""Conversations that llama.cpp writes together: each as if it were alone, and gone as soon as nobody wants it."""

import asyncio
import gc
import os
import random
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from services.llm.engine import ChatMessage, Generation, ReplyEvent, Role, TextDelta
from services.llm.llamacpp import LlamaCppEngine
from tests.bench.resident import resident_mb
from tests.support.llm import GREEDY, TINY, collect, generation, llama_engine
from tests.support.waiting import wait_until

STORY = replace(GREEDY, max_tokens=30)
ENDLESS = replace(GREEDY, max_tokens=200)
SYSTEM = ChatMessage(Role.SYSTEM, "You tell stories of a little girl who lives by the sea")


def turn(name: str, *said: str) -> Generation:
    plain = generation(*said, sampling=STORY, name=name)
    return replace(plain, messages=(SYSTEM, *plain.messages))


async def conversation(engine: LlamaCppEngine, number: int, turns: int = 3) -> list[str]:
    """What it answers, turn by turn; each conversation begins in its own way, under the same instructions."""
    said: list[str] = []
    for at in range(turns):
        said.append(f"Tell me {number} stories of {'big ' * at}dogs" if at else f"Once there were {number} dogs")
        said.append((await collect(engine.generate(turn(f"conversation {number}", *said))))[0])
    return said[1::2]


@pytest.mark.parametrize("sequences", [1, 3, 8])
async def test_eight_conversations_write_together_what_each_writes_alone(sequences: int) -> None:
    """With fewer sequences than conversations: some wait, some are forgotten and read again."""
    alone = []
    for number in range(8):
        async with llama_engine() as engine:
            alone.append(await conversation(engine, number))
    async with llama_engine(options=replace(TINY, sequences=sequences)) as engine:
        together = await asyncio.gather(*(conversation(engine, number) for number in range(8)))
    assert list(together) == alone
    assert len({tuple(replies) for replies in alone}) > 4  # else it would prove little


async def test_the_same_instructions_are_read_once_for_all() -> None:
    async with llama_engine() as engine:
        ends = await asyncio.gather(*(collect(engine.generate(turn(str(number), "Hi"))) for number in range(4)))
    known = sorted(finished.usage.cached_prompt_tokens for _, finished in ends)
    assert known[0] == 0
    assert known[1] > 30


@pytest.mark.parametrize("seed", range(3))
async def test_whoever_leaves_in_between_the_others_are_the_same(seed: int) -> None:
    chance = random.Random(seed)
    async with llama_engine(options=replace(TINY, sequences=3, batch_tokens=16)) as engine:
        requests = [turn(f"{number % 5}", "dogs and " * chance.randint(1, 12), "So?", "Go on") for number in range(30)]
        alone = [(await collect(engine.generate(request)))[0] for request in requests]
        leaving = [chance.choice([None, None, 0, 1, 5, 12]) for _ in requests]
        replies = [_read(engine.generate(request), after) for request, after in zip(requests, leaving, strict=True)]
        together = await asyncio.gather(*replies)
    stayed = [index for index, after in enumerate(leaving) if after is None]
    assert len(stayed) > 5
    assert [together[index] for index in stayed] == [alone[index] for index in stayed]


async def _read(events: AsyncGenerator[ReplyEvent, None], leaves_after: int | None) -> str:
    """The text, or the beginning of it."""
    deltas: list[str] = []
    async with aclosing(events):
        async for event in events:
            if isinstance(event, TextDelta):
                deltas.append(event.text)
            if leaves_after is not None and len(deltas) >= leaves_after:
                break
    return "".join(deltas)


class Watch:
    """What the engine's metrics tell."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()

    @property
    def steps(self) -> int:
        return int(self._value("llm_step_seconds_count"))

    @property
    def live(self) -> int:
        return int(self._value("llm_active_sequences"))

    def _value(self, name: str) -> float:
        return self.registry.get_sample_value(name, {"backend": "llama.cpp"}) or 0


@pytest.mark.parametrize("after_steps", [1, 4, 20], ids=["as it begins", "in its prompt", "as it is written"])
async def test_who_leaves_is_in_one_more_step_at_most(after_steps: int) -> None:
    watch = Watch()
    async with llama_engine(options=replace(TINY, batch_tokens=8), registry=watch.registry) as engine:
        before = watch.steps
        request = generation("once upon a time there was " * 5, sampling=ENDLESS)
        reading = asyncio.create_task(_read(engine.generate(request), None))
        await wait_until(lambda: watch.steps >= before + after_steps, "the steps before it leaves")
        reading.cancel()
        await asyncio.wait([reading])
        left_at = watch.steps
        await wait_until(lambda: not watch.live, "its sequence to be free")
        await collect(engine.generate(generation("Hi", sampling=replace(GREEDY, max_tokens=1))))
        # One that was under way; then those of the short prompt, of which each has the one before as its beginning.
        assert watch.steps <= left_at + 1 + 4


async def test_one_that_waits_for_a_sequence_leaves_without_a_step() -> None:
    watch = Watch()
    async with llama_engine(options=replace(TINY, sequences=1), registry=watch.registry) as engine:
        first = engine.generate(generation("Once", sampling=ENDLESS))
        async with aclosing(first):
            await anext(first)
            waiting = asyncio.create_task(_read(engine.generate(generation("dogs")), None))
            await anext(first)
            waiting.cancel()
            await asyncio.wait([waiting])
        await wait_until(lambda: not watch.live, "the end of the first")
        text, _ = await collect(engine.generate(generation("Once")))
        assert text


def _descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


async def test_five_hundred_cancels_leave_nothing_behind() -> None:
    chance = random.Random(11)
    watch = Watch()

    async def cancel_many(engine: LlamaCppEngine, count: int) -> None:
        for _ in range(count // 10):
            words = [chance.randint(1, 20) for _ in range(10)]
            requests = [generation("dogs " * count, sampling=ENDLESS, name=str(count % 6)) for count in words]
            await asyncio.gather(*(_read(engine.generate(request), chance.randint(0, 6)) for request in requests))

    async with llama_engine(registry=watch.registry) as engine:
        await cancel_many(engine, 100)  # so that pools and allocators have grown to their size
        gc.collect()
        tasks, descriptors, before_mb = len(asyncio.all_tasks()), _descriptors(), resident_mb(os.getpid())
        await cancel_many(engine, 500)
        await wait_until(lambda: not watch.live, "all sequences to be free")
        gc.collect()
        assert len(asyncio.all_tasks()) == tasks
        assert _descriptors() == descriptors
        assert resident_mb(os.getpid()) < before_mb + 8
