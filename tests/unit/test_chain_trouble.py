"""services/common/chain.py: memory that runs out, cards that are full, threads that do not come back."""

import asyncio

import pytest
from prometheus_client import CollectorRegistry

from services.common.chain import Answer, Candidate, EngineChain
from services.common.errors import (
    EngineFailedError,
    OutOfMemoryError,
    UnavailableError,
    UnusableAnswerError,
)
from services.common.metrics import ChainMetrics
from tests.fakes.engines import HangingEngine, PacedEngine, ScriptedEngine
from tests.support.chains import LIMIT_S, Bench, Loader, failing, is_ready, kept_up
from tests.support.waiting import wait_until

# Memory


_FULL = "21.0 of 25.8 GB are in use"


async def test_an_engine_that_runs_out_of_memory_is_unloaded_and_the_next_answers_the_same_request() -> None:
    large = failing("large", 1, OutOfMemoryError("CUDA failed with error out of memory"))
    bench = Bench([large, ScriptedEngine("small")])
    assert await bench.ask() == Answer("small", "small")
    await wait_until(lambda: large.closed, "the memory of the large one")
    assert bench.loaded() == ["small"]
    assert bench.failures()["large"] == "ran out of memory: CUDA failed with error out of memory"
    assert bench.metric("errors_total", backend="large", reason="OUT_OF_MEMORY") == 1
    assert bench.looks > 0  # the small one was judged by what was free then


async def test_after_the_breakers_time_it_is_loaded_again_in_the_background() -> None:
    bench = Bench([failing("large", 1, OutOfMemoryError("full")), ScriptedEngine("small")])
    await bench.ask()
    async with kept_up(bench):
        looks = bench.looks
        await wait_until(lambda: bench.looks > looks + 5, "some passes")
        assert bench.loaders[0].loads == 1  # not before its breaker allows it
        bench.clock.advance(30)
        await wait_until(lambda: bench.loaded() == ["large", "small"], "the large one")
    assert await bench.ask() == Answer("large", "large")


async def test_whoever_uses_the_engine_meanwhile_is_not_cut_off() -> None:
    large, may_end = ScriptedEngine("large"), asyncio.Event()
    bench = Bench([large, ScriptedEngine("small")])

    async def slowly(engine: ScriptedEngine) -> str:
        engine.asked += 1
        await may_end.wait()
        return f"{engine.name}, {'closed' if engine.closed else 'open'}"

    async def out_of_memory(engine: ScriptedEngine) -> str:
        if engine is large:
            raise OutOfMemoryError("full")
        return await engine.answer()

    running = asyncio.create_task(bench.chain.call(slowly, LIMIT_S))
    await wait_until(lambda: large.asked == 1, "the one that uses it")
    assert await bench.chain.call(out_of_memory, LIMIT_S) == Answer("small", "small")
    assert bench.loaded() == ["small"]  # nobody new gets it
    assert not large.closed
    may_end.set()
    assert await running == Answer("large", "large, open")
    await wait_until(lambda: large.closed, "the memory of the large one")


async def test_a_stream_that_runs_out_of_memory_in_the_middle_unloads_its_engine() -> None:
    large = ScriptedEngine("large", ["one", OutOfMemoryError("full")])
    bench = Bench([large, ScriptedEngine("small")])
    with pytest.raises(OutOfMemoryError):
        await bench.read()
    await wait_until(lambda: large.closed, "the memory of the large one")
    assert await bench.read() == [Answer("small", "small")]


async def test_an_engine_without_room_is_passed_over_and_says_why() -> None:
    bench = Bench([ScriptedEngine("large"), ScriptedEngine("small")])
    bench.obstacles["large"] = _FULL
    await bench.chain.start()
    assert await bench.ask() == Answer("small", "small")
    assert bench.loaders[0].loads == 0
    assert bench.failures() == {"large": _FULL, "small": None}


async def test_when_there_is_room_it_climbs_back_by_itself() -> None:
    bench = Bench([ScriptedEngine("large"), ScriptedEngine("small")])
    bench.obstacles["large"] = _FULL
    await bench.chain.start()
    async with kept_up(bench):
        del bench.obstacles["large"]
        await wait_until(lambda: bench.loaded() == ["large", "small"], "the large one")
    assert bench.failures() == {"large": None, "small": None}
    assert bench.chain.best().backend == "large"


async def test_under_pressure_engines_are_unloaded_one_by_one_the_least_good_first() -> None:
    gone: list[str] = []

    class Leaving(ScriptedEngine):
        async def close(self) -> None:
            gone.append(self.name)
            if self.name == "medium":
                bench.pressure.clear()  # that was enough

    bench = Bench([Leaving("large", [EngineFailedError("once")]), Leaving("medium"), Leaving("small")])
    await bench.ask()
    assert bench.loaded() == ["large", "medium"]
    bench.obstacles.update(medium=_FULL)
    bench.pressure.update(large=_FULL, medium=_FULL)
    async with kept_up(bench):
        await wait_until(lambda: gone == ["medium"], "the end of the spare one")
        looks = bench.looks
        await wait_until(lambda: bench.looks > looks + 5, "some more passes")
    assert gone == ["medium"]
    assert await bench.ask() == Answer("large", "large")


async def test_under_pressure_the_smaller_one_takes_over_and_the_larger_comes_back_when_it_is_over() -> None:
    large = ScriptedEngine("large")
    bench = Bench([large, ScriptedEngine("small")])
    await bench.chain.start()
    async with kept_up(bench):
        bench.pressure["large"] = bench.obstacles["large"] = _FULL
        await wait_until(lambda: bench.loaded() == ["small"], "the small one")  # before anybody asks for it
        assert large.closed
        assert bench.failures()["large"] == _FULL
        bench.pressure.clear()
        bench.obstacles.clear()
        bench.clock.advance(30)  # not at once: it could be pushed out and come back every second
        await wait_until(lambda: "large" in bench.loaded(), "the large one")


async def test_what_found_no_room_and_is_not_needed_any_more_stands_by() -> None:
    bench = Bench([failing("large", 1), ScriptedEngine("medium"), ScriptedEngine("small")])
    bench.obstacles["medium"] = _FULL
    assert await bench.ask() == Answer("small", "small")
    assert bench.failures()["medium"] == _FULL
    async with kept_up(bench):
        del bench.obstacles["medium"]
        await wait_until(lambda: bench.failures()["medium"] is None, "the end of the obstacle")
    assert bench.loaders[1].loads == 0


async def test_a_service_whose_only_engine_has_no_room_says_so() -> None:
    bench = Bench([ScriptedEngine("only")])
    bench.obstacles["only"] = _FULL
    await bench.chain.start()
    assert not is_ready(bench)
    with pytest.raises(UnavailableError, match=f"only: {_FULL}"):
        await bench.ask()


# Threads that do not come back


async def test_an_engine_that_hangs_while_it_is_loaded_is_not_tried_again() -> None:
    hanging = Loader(ScriptedEngine("good"), gate=asyncio.Event())
    bench = Bench([hanging, ScriptedEngine("spare")], load_limit_s=0.05)
    await bench.chain.start()
    assert bench.failures()["good"] == "it hangs while it is loaded"
    async with kept_up(bench):
        bench.clock.advance(60)
        looks = bench.looks
        await wait_until(lambda: bench.looks > looks + 5, "some passes")
    assert hanging.loads == 1
    assert await bench.ask() == Answer("spare", "spare")


async def test_an_engine_whose_thread_is_lost_is_left_alone_and_the_chain_tells_of_it() -> None:
    good = HangingEngine("good")
    bench = Bench([good, ScriptedEngine("spare")])
    assert bench.chain.stuck is None
    try:
        assert await bench.chain.call(lambda engine: engine.answer(), 0.05) == Answer("spare", "spare")
        await wait_until(lambda: bench.chain.stuck is not None, "the word of it")
        assert "engine good: a thread of good has not come back" in str(bench.chain.stuck)
        assert await bench.chain.call(lambda engine: engine.answer(), LIMIT_S) == Answer("spare", "spare")
        assert good.asked == 1
        async with asyncio.timeout(LIMIT_S):
            await bench.chain.close()
        assert bench.chain.stuck is not None  # closing it does not bring the thread back
    finally:
        good.wake()


async def test_an_engine_that_cannot_be_closed_in_time_does_not_hold_up_the_end() -> None:
    class Endless(ScriptedEngine):
        async def close(self) -> None:
            await asyncio.Event().wait()

    endless, spare = Loader(Endless("endless", [EngineFailedError("broken")])), Loader(ScriptedEngine("spare"))
    candidates = [Candidate(loader.engine.name, loader, close_limit_s=0.05) for loader in (endless, spare)]
    chain = EngineChain(candidates, ChainMetrics.create(CollectorRegistry(), "test"))
    assert await chain.call(ScriptedEngine.answer, LIMIT_S) == Answer("spare", "spare")
    async with asyncio.timeout(LIMIT_S):
        await chain.close()
    assert spare.engine.closed


async def test_what_a_model_makes_of_odd_requests_is_not_held_against_its_engine() -> None:
    odd = failing("good", 5, UnusableAnswerError("it wrote nonsense"))
    bench = Bench([odd, ScriptedEngine("spare")])
    for _ in range(5):
        assert await bench.ask() == Answer("spare", "spare")
    assert odd.asked == 5  # its breaker stayed closed
    assert bench.metric("errors_total", backend="good", reason="UNUSABLE_ANSWER") == 5


async def test_an_engine_that_works_is_not_given_up_because_it_keeps_many_waiting() -> None:
    busy = PacedEngine("good")
    bench = Bench([busy, ScriptedEngine("spare")])

    async def use(engine: ScriptedEngine) -> str:
        return await (engine.hang() if engine is busy else engine.answer())

    for _ in range(5):
        assert await bench.chain.call(use, 0.01) == Answer("spare", "spare")
    assert busy.asked == 5
    assert bench.requests("good", "timeout") == 5


async def test_an_engine_whose_step_is_late_is_not_ready_and_given_up() -> None:
    late = PacedEngine("good")
    bench = Bench([late])
    await bench.chain.start()
    assert is_ready(bench)
    late.is_late = True
    assert not is_ready(bench)
    for _ in range(3):
        with pytest.raises(UnavailableError):
            await bench.chain.call(ScriptedEngine.hang, 0.01)
    late.is_late = False
    assert not is_ready(bench)  # its breaker is open
