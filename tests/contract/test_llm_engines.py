"""What every engine of the mind keeps to, whatever writes its replies."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
import pytest_asyncio

from services.llm.engine import LlmEngine, TextDelta
from services.llm.fixed import FixedReplyEngine
from tests.fakes.minds import ScriptedMind
from tests.fakes.openai_server import FakeOpenAi
from tests.support.endpoint import loaded
from tests.support.llm import GREEDY, collect, generation, llama_engine


@asynccontextmanager
async def _endpoint() -> AsyncIterator[LlmEngine]:
    async with FakeOpenAi() as server, loaded(server.url) as engine:
        yield engine


@asynccontextmanager
async def _fixed() -> AsyncIterator[LlmEngine]:
    yield FixedReplyEngine("en")


@asynccontextmanager
async def _fake() -> AsyncIterator[LlmEngine]:
    yield ScriptedMind("one ", "two ", "three")


_ENGINES = {"llama.cpp": llama_engine, "endpoint": _endpoint, "fixed-reply": _fixed, "fake": _fake}


@pytest_asyncio.fixture(params=_ENGINES.values(), ids=_ENGINES.keys())
async def engine(request: pytest.FixtureRequest) -> AsyncIterator[LlmEngine]:
    async with request.param() as engine:
        yield engine


async def test_a_reply_is_text_and_then_its_end(engine: LlmEngine) -> None:
    text, finished = await collect(engine.generate(generation("Once upon a time")))
    assert text.strip()
    assert 0 <= finished.usage.cached_prompt_tokens <= finished.usage.prompt_tokens


async def test_a_reply_that_is_left_ends_and_the_next_one_is_as_if_it_had_not_been(engine: LlmEngine) -> None:
    request = generation("Once upon a time", sampling=replace(GREEDY, seed=1))
    whole, _ = await collect(engine.generate(request))
    left = engine.generate(generation("Tell me of a dog", sampling=replace(GREEDY, max_tokens=200)))
    assert isinstance(await anext(left), TextDelta)
    await left.aclose()
    assert (await collect(engine.generate(request)))[0] == whole


async def test_a_reply_that_nobody_began_to_read_costs_nothing(engine: LlmEngine) -> None:
    await engine.generate(generation("Hello")).aclose()
    assert (await collect(engine.generate(generation("Hello"))))[0]


async def test_it_says_how_much_fits(engine: LlmEngine) -> None:
    assert engine.context_tokens >= 0
