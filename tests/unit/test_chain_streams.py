"""services/common/chain.py: streamed answers."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from services.common.chain import Answer
from services.common.errors import (
    EngineFailedError,
    UnavailableError,
)
from tests.fakes.engines import ScriptedEngine
from tests.support.chains import LIMIT_S, Bench, kept_up
from tests.support.waiting import wait_until


async def test_a_stream_comes_from_the_best_engine() -> None:
    engine = ScriptedEngine("good", ["one", "two"])
    bench = Bench([engine, ScriptedEngine("spare")])
    assert await bench.read() == [Answer("good", "one"), Answer("good", "two")]
    assert engine.streams_closed == 1
    assert bench.requests("good", "ok") == 1


async def test_a_stream_that_fails_before_its_first_item_falls_to_the_next() -> None:
    broken = ScriptedEngine("good", [RuntimeError("a bug")])
    bench = Bench([broken, ScriptedEngine("spare", ["a", "b"])])
    assert await bench.read() == [Answer("spare", "a"), Answer("spare", "b")]
    assert broken.streams_closed == 1
    assert bench.metric("engine_fallbacks_total", backend="good") == 1


async def test_a_stream_that_hangs_before_its_first_item_falls_to_the_next() -> None:
    bench = Bench([ScriptedEngine("good"), ScriptedEngine("spare")])

    async def use(engine: ScriptedEngine) -> AsyncGenerator[str, None]:
        yield await (engine.hang() if engine.name == "good" else engine.answer())

    answers = [item async for item in bench.chain.stream(use, 0.05, LIMIT_S)]
    assert answers == [Answer("spare", "spare")]


async def test_a_sign_of_life_is_no_part_of_an_answer_so_the_next_engine_may_still_take_over() -> None:
    dying = ScriptedEngine("good", ["…", EngineFailedError("oh")])
    bench = Bench([dying, ScriptedEngine("spare", ["a"])])
    items = bench.chain.stream(ScriptedEngine.stream, LIMIT_S, LIMIT_S, is_part=lambda item: item != "…")
    assert [item async for item in items] == [Answer("good", "…"), Answer("spare", "a")]


async def test_a_stream_that_fails_later_ends_the_request_with_a_typed_error() -> None:
    spare = ScriptedEngine("spare")
    bench = Bench([ScriptedEngine("good", ["one", RuntimeError("secret")]), spare])
    items = bench.chain.stream(ScriptedEngine.stream, LIMIT_S, LIMIT_S)
    assert await anext(items) == Answer("good", "one")
    with pytest.raises(EngineFailedError) as caught:
        await anext(items)
    assert "secret" not in caught.value.message
    assert isinstance(caught.value.__cause__, RuntimeError)
    assert spare.asked == 0
    assert bench.requests("good", "failed") == 1
    assert bench.metric("engine_fallbacks_total", backend="good") == 0


async def test_a_typed_failure_inside_a_stream_keeps_its_type() -> None:
    bench = Bench([ScriptedEngine("good", ["one", UnavailableError("the card fell off")])])
    with pytest.raises(UnavailableError, match="the card fell off") as caught:
        await bench.read()
    assert caught.value.__cause__ is None


async def test_a_stream_that_hangs_after_its_first_item_ends_with_a_typed_error() -> None:
    bench = Bench([ScriptedEngine("good"), ScriptedEngine("spare")])

    async def use(engine: ScriptedEngine) -> AsyncGenerator[str, None]:
        yield "one"
        yield await engine.hang()

    with pytest.raises(EngineFailedError):
        async for _ in bench.chain.stream(use, LIMIT_S, 0.05):
            pass


async def test_an_empty_stream_is_a_good_answer() -> None:
    bench = Bench([ScriptedEngine("good")])

    async def use(engine: ScriptedEngine) -> AsyncGenerator[str, None]:
        for item in list[str]():
            yield item

    assert [item async for item in bench.chain.stream(use, 1, 1)] == []
    assert bench.requests("good", "ok") == 1


async def test_a_reader_who_leaves_closes_the_engines_stream_and_blames_nobody() -> None:
    engine = ScriptedEngine("good", ["one", "two", "three"])
    bench = Bench([engine])
    async with aclosing(bench.chain.stream(ScriptedEngine.stream, LIMIT_S, LIMIT_S)) as items:
        assert await anext(items) == Answer("good", "one")
    assert engine.streams_closed == 1
    assert bench.requests("good", "cancelled") == 1


async def test_a_stream_broken_too_often_makes_the_next_engine_ready() -> None:
    """Nobody fell to it inside of a stream, so it was never loaded; the service must not be NOT_SERVING for that."""
    bench = Bench([ScriptedEngine("good", ["one", RuntimeError("a bug")]), ScriptedEngine("spare")])
    await bench.chain.start()
    for _ in range(3):
        with pytest.raises(EngineFailedError):
            await bench.read()
    async with kept_up(bench):
        await wait_until(lambda: bench.chain.ready, "the spare engine")
    assert bench.chain.best().backend == "spare"
