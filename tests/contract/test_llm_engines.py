"""What every engine of the mind keeps to, whatever writes its replies."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio
from prometheus_client import CollectorRegistry

from services.llm.engine import LlmEngine, TextDelta
from services.llm.fixed import FixedReplyEngine
from services.llm.llamacpp import LlamaCppEngine, LlamaLimits
from services.llm.metrics import LlamaMetrics
from tests.fakes.minds import ScriptedMind
from tests.support.llm import GREEDY, TINY, collect, generation, tiny_model


async def _llama() -> LlmEngine:
    metrics = LlamaMetrics(CollectorRegistry()).of("llama.cpp")
    return await LlamaCppEngine.load(tiny_model(), TINY, LlamaLimits(step_s=60), metrics)


async def _fixed() -> LlmEngine:
    return FixedReplyEngine("en")


async def _fake() -> LlmEngine:
    return ScriptedMind("one ", "two ", "three")


@pytest_asyncio.fixture(params=[_llama, _fixed, _fake], ids=["llama.cpp", "fixed-reply", "fake"])
async def engine(request: pytest.FixtureRequest) -> AsyncIterator[LlmEngine]:
    loaded: LlmEngine = await request.param()
    yield loaded
    await loaded.close()


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
