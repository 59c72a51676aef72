"""How long a reply that nobody wants any more still takes."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing

from services.common.tasks import cancel_and_wait
from tests.bench.figures import Rows, spread
from tests.bench.llm.dialogue import HOUSEHOLD, chat
from tests.bench.llm.mind import Mind, request

_LONG_WORDS = 900  # some 1200 tokens
_LONG_REPLY = 400


async def measure(mind: Mind, batch_tokens: int, cancels: int) -> Rows:
    """From the end of the reader to the end of the work: a row while a prompt is read, and one while it is written."""
    chance = random.Random(5)
    reading_s = await _step_s(mind, _long_prompt("the first"), batch_tokens)
    writing_s = await _token_s(mind)

    async def in_prompt(number: int) -> float:
        return await _cancel_in_prompt(mind, _long_prompt(f"{number}th"), chance.uniform(0, 2 * reading_s))

    async def in_reply(number: int) -> float:
        return await _cancel_in_reply(mind, chance.randint(1, 5), chance.uniform(0, writing_s), seed=number)

    return [
        await _row("a long prompt is read", reading_s, in_prompt, cancels),
        await _row("a reply is written", writing_s, in_reply, cancels),
    ]


async def _row(what: str, step_s: float, cancel: Callable[[int], Awaitable[float]], cancels: int) -> dict[str, object]:
    times_ms = [await cancel(number) for number in range(cancels)]
    return {"while": what, "a step takes, ms": round(step_s * 1000, 1), "cancels": cancels, **spread(times_ms)}


def _long_prompt(beginning: str) -> str:
    """One that nobody has read before, from its first words on."""
    words = HOUSEHOLD.split()
    return " ".join([beginning, *(words[index % len(words)] for index in range(_LONG_WORDS))])


async def _step_s(mind: Mind, system: str, batch_tokens: int) -> float:
    written = await mind.write(chat(system, "Hello"), 4)
    return written.first_ms / 1000 * batch_tokens / written.usage.prompt_tokens


async def _token_s(mind: Mind) -> float:
    written = await mind.write(chat(HOUSEHOLD, "Tell me a story."), 32)
    return (written.at_s[-1] - written.at_s[0]) / (len(written.at_s) - 1)


async def _cancel_in_prompt(mind: Mind, system: str, after_s: float) -> float:
    async with aclosing(mind.engine.generate(request(chat(system, "Hello"), 4))) as events:
        first = asyncio.ensure_future(anext(events))
        await mind.busy()
        await asyncio.sleep(after_s)
        began_s = time.perf_counter()
        await cancel_and_wait(first)
    await mind.free()
    return (time.perf_counter() - began_s) * 1000


async def _cancel_in_reply(mind: Mind, tokens: int, after_s: float, seed: int) -> float:
    messages = chat(HOUSEHOLD, "Tell me a long story.")
    async with aclosing(mind.engine.generate(request(messages, _LONG_REPLY, seed=seed))) as events:
        for _ in range(tokens):
            await anext(events)
        await asyncio.sleep(after_s)
        began_s = time.perf_counter()
    await mind.free()
    return (time.perf_counter() - began_s) * 1000
