"""services/common/chain.py: who answers a request, and how engines come and go."""

import asyncio
from collections.abc import Awaitable

import pytest

from services.common.chain import Answer
from services.common.errors import (
    CallError,
    DeadlineError,
    EngineFailedError,
    InvalidInputError,
    UnavailableError,
    UnsupportedError,
)
from services.common.tasks import cancel_and_wait
from tests.fakes.engines import ScriptedEngine
from tests.support.chains import LIMIT_S, Bench, Loader, ask_often, failing, is_ready, kept_up
from tests.support.waiting import wait_until


async def test_start_loads_the_best_engine_and_no_other() -> None:
    bench = Bench([ScriptedEngine("good"), ScriptedEngine("spare")])
    assert not is_ready(bench)
    await bench.chain.start()
    assert [loader.loads for loader in bench.loaders] == [1, 0]
    assert is_ready(bench)
    assert await bench.ask() == Answer("good", "good")
    assert bench.chain.best().backend == "good"


async def test_start_loads_more_where_more_are_wanted_and_a_failure_keeps_none_of_the_others() -> None:
    loaders = [Loader(ScriptedEngine("good"), failures=1), *map(Loader, map(ScriptedEngine, ("spare", "third")))]
    bench = Bench(loaders, at_start=3)
    await bench.chain.start()
    assert [loader.loads for loader in loaders] == [1, 1, 1]
    assert bench.loaded() == ["spare", "third"]
    two = Bench([ScriptedEngine(name) for name in ("good", "spare", "third")], at_start=2)
    await two.chain.start()
    assert two.loaded() == ["good", "spare"]


async def test_start_goes_on_to_the_next_where_the_best_cannot_be_loaded() -> None:
    bench = Bench([Loader(ScriptedEngine("good"), failures=1), ScriptedEngine("spare"), ScriptedEngine("third")])
    await bench.chain.start()
    assert [loader.loads for loader in bench.loaders] == [1, 1, 0]
    assert await bench.ask() == Answer("spare", "spare")
    status = {engine.name: engine.failure for engine in bench.chain.status()}
    assert status == {"good": "good has no model", "spare": None, "third": None}


@pytest.mark.parametrize("error", [EngineFailedError("broken"), UnavailableError("away"), RuntimeError("a bug")])
async def test_it_falls_to_the_next_when_an_engine_fails(error: Exception) -> None:
    good = failing("good", 1, error)
    bench = Bench([good, ScriptedEngine("spare")])
    assert await bench.ask() == Answer("spare", "spare")
    assert good.asked == 1
    assert bench.requests("good", "failed") == 1
    assert bench.requests("spare", "ok") == 1
    assert bench.metric("engine_fallbacks_total", backend="good") == 1


async def test_it_falls_to_the_next_when_an_engine_takes_too_long() -> None:
    bench = Bench([ScriptedEngine("good"), ScriptedEngine("spare")])

    async def use(engine: ScriptedEngine) -> str:
        return await (engine.hang() if engine.name == "good" else engine.answer())

    assert await bench.chain.call(use, limit_s=0.05) == Answer("spare", "spare")
    assert bench.requests("good", "timeout") == 1
    assert bench.metric("errors_total", backend="good", reason="TIMEOUT") == 1


async def test_whom_two_engines_kept_waiting_is_not_kept_by_the_others() -> None:
    engines = [ScriptedEngine(name) for name in ("first", "second", "third")]
    bench = Bench(engines)
    with pytest.raises(DeadlineError, match="2 engines took too long"):
        await bench.chain.call(ScriptedEngine.hang, limit_s=0.05)
    assert [engine.asked for engine in engines] == [1, 1, 0]
    assert await bench.chain.call(ScriptedEngine.answer, LIMIT_S) == Answer("first", "first")


async def test_failures_that_are_no_timeouts_go_down_the_whole_chain() -> None:
    bench = Bench([failing(name, 1) for name in ("first", "second", "third")] + [ScriptedEngine("last")])
    assert await bench.ask() == Answer("last", "last")


async def test_a_request_that_went_well_is_timed_and_a_failure_is_counted_by_its_reason() -> None:
    errors = [EngineFailedError("oh", reason="POISONED"), RuntimeError("a bug"), TimeoutError()]
    bench = Bench([ScriptedEngine("good", errors), ScriptedEngine("spare")])
    for _ in errors:
        await bench.ask()
    for reason in ("POISONED", "UNEXPECTED", "TIMEOUT"):
        assert bench.metric("errors_total", backend="good", reason=reason) == 1
    assert bench.metric("latency_seconds_count", backend="spare") == 3
    assert bench.metric("latency_seconds_count", backend="good") == 0


async def test_three_failures_open_the_breaker_and_spare_the_engine() -> None:
    good = failing("good", 3)
    bench = Bench([good, ScriptedEngine("spare")])
    await ask_often(bench.ask, 3)
    assert await bench.ask() == Answer("spare", "spare")
    assert good.asked == 3
    assert [engine.failure is None for engine in bench.chain.status()] == [False, True]


async def test_it_climbs_back_when_the_breakers_time_is_over() -> None:
    bench = Bench([failing("good", 3), ScriptedEngine("spare")])
    await ask_often(bench.ask, 3)
    bench.clock.advance(30)
    assert await bench.ask() == Answer("good", "good")
    assert await bench.ask() == Answer("good", "good")


async def test_only_one_request_probes_a_half_open_engine() -> None:
    good = failing("good", 3)
    bench = Bench([good, ScriptedEngine("spare")])
    await ask_often(bench.ask, 3)
    bench.clock.advance(30)

    async def use(engine: ScriptedEngine) -> str:
        return await (engine.hang() if engine.name == "good" else engine.answer())

    probe = asyncio.create_task(bench.chain.call(use, LIMIT_S))
    await wait_until(lambda: good.asked == 4, "the probe")
    assert await bench.ask() == Answer("spare", "spare")
    # Cancelled, the probe tells nothing of the engine: the next request may probe.
    await cancel_and_wait(probe)
    assert await bench.ask() == Answer("good", "good")


async def test_a_request_does_not_wait_longer_for_a_load_than_for_an_answer() -> None:
    gate = asyncio.Event()
    slow = Loader(ScriptedEngine("slow"), gate=gate)
    bench = Bench([failing("good", 9), slow, ScriptedEngine("spare")])
    for _ in range(4):  # more often than a breaker would forgive, if it were asked
        assert await bench.ask(limit_s=0.01) == Answer("spare", "spare")
    gate.set()
    await wait_until(lambda: "slow" in bench.loaded(), "the load, which went on")
    assert await bench.ask() == Answer("slow", "slow")
    assert slow.loads == 1


async def test_unsupported_is_nobodys_fault() -> None:
    picky = failing("picky", 5, UnsupportedError("not my language"))
    bench = Bench([picky, ScriptedEngine("spare")])
    for _ in range(5):
        assert await bench.ask() == Answer("spare", "spare")
    assert picky.asked == 5  # its breaker stayed closed
    assert bench.requests("picky", "unsupported") == 5
    assert bench.metric("engine_fallbacks_total", backend="picky") == 0


async def test_what_no_engine_supports_is_unsupported() -> None:
    bench = Bench([failing(name, 1, UnsupportedError(f"{name} cannot")) for name in ("one", "two")])
    with pytest.raises(UnsupportedError, match="cannot"):
        await bench.ask()


async def test_a_last_resort_does_not_stand_in_for_engines_that_refuse() -> None:
    refusing = [failing(name, 9, UnsupportedError(f"{name} cannot")) for name in ("one", "two")]
    bench = Bench([*refusing, ScriptedEngine("last")], last_resort="last")
    with pytest.raises(UnsupportedError, match="two cannot"):
        await bench.ask()


async def test_a_last_resort_stands_in_as_soon_as_one_has_failed() -> None:
    refusing = failing("one", 9, UnsupportedError("one cannot"))
    for broken in (failing("two", 9), Loader(ScriptedEngine("two"), failures=9)):
        bench = Bench([refusing, broken, ScriptedEngine("last")], last_resort="last")
        assert await bench.ask() == Answer("last", "last")


async def test_what_a_broken_engine_might_support_is_unavailable_not_unsupported() -> None:
    """Else a caller would be told never to try again, though the engine is back in half a minute."""
    bench = Bench([failing("good", 3), failing("picky", 5, UnsupportedError("not my language"))])
    for _ in range(4):  # the fourth meets an open breaker
        with pytest.raises(UnavailableError):
            await bench.ask()


@pytest.mark.parametrize("error", [InvalidInputError("text", "is bad"), DeadlineError("no time left")])
async def test_the_callers_own_faults_pass_through_and_count_for_nothing(error: CallError) -> None:
    good, spare = failing("good", 5, error), ScriptedEngine("spare")
    bench = Bench([good, spare])
    for _ in range(5):
        with pytest.raises(type(error)) as caught:
            await bench.ask()
        assert caught.value is error
    assert spare.asked == 0
    assert await bench.ask() == Answer("good", "good")
    assert bench.requests("good", "refused") == 5


async def test_nobody_left_is_unavailable_and_says_why() -> None:
    bench = Bench([Loader(ScriptedEngine("good"), failures=9), failing("spare", 9)])
    await bench.chain.start()
    with pytest.raises(UnavailableError, match=r"good: good has no model; spare: ") as caught:
        await bench.ask()
    assert caught.value.retryable
    await ask_often(lambda: _swallow(bench.ask()), 2)
    with pytest.raises(UnavailableError, match="spare: failed too often"):
        await bench.ask()
    with pytest.raises(UnavailableError, match="good has no model"):
        bench.chain.best()
    assert not is_ready(bench)


async def _swallow(asked: Awaitable[object]) -> None:
    with pytest.raises(UnavailableError):
        await asked


async def test_a_chain_without_engines_says_so() -> None:
    bench = Bench([])
    await bench.chain.start()
    with pytest.raises(UnavailableError, match="none is configured"):
        await bench.ask()


# Loading


async def test_an_engine_is_loaded_when_it_is_needed_and_once_for_all_who_wait() -> None:
    gate = asyncio.Event()
    loader = Loader(ScriptedEngine("spare"), gate=gate)
    bench = Bench([failing("good", 3), loader])
    asking = [asyncio.create_task(bench.ask()) for _ in range(3)]
    await wait_until(lambda: loader.loads > 0, "the load")
    gate.set()
    assert [await answer for answer in asking] == [Answer("spare", "spare")] * 3
    assert loader.loads == 1


async def test_a_caller_who_leaves_does_not_stop_the_load_for_the_others() -> None:
    gate = asyncio.Event()
    loader = Loader(ScriptedEngine("only"), gate=gate)
    bench = Bench([loader])
    leaving, staying = asyncio.create_task(bench.ask()), asyncio.create_task(bench.ask())
    await wait_until(lambda: loader.loads > 0, "the load")
    leaving.cancel()
    await asyncio.wait([leaving])
    assert leaving.cancelled()
    gate.set()
    assert await staying == Answer("only", "only")
    assert loader.loads == 1


async def test_what_could_not_be_loaded_is_loaded_again_by_itself() -> None:
    loader = Loader(ScriptedEngine("good"), failures=2)
    bench = Bench([loader, ScriptedEngine("spare")])
    await bench.chain.start()
    async with kept_up(bench):
        await wait_until(lambda: bench.metric("engine_breaker_open", backend="good") == 1, "the metric")
        assert loader.loads == 1  # not before its breaker allows it
        bench.clock.advance(30)
        await wait_until(lambda: loader.loads == 2, "the second load")
        await wait_until(lambda: bench.metric("engine_breaker_open", backend="good") == 1, "the metric")
        bench.clock.advance(30)
        await wait_until(lambda: bench.metric("engine_ready", backend="good") == 1, "the third load")
    assert await bench.ask() == Answer("good", "good")
    assert bench.metric("engine_breaker_open", backend="good") == 0
    assert bench.metric("engine_ready", backend="spare") == 1


async def test_an_engine_that_failed_to_load_is_not_loaded_again_by_a_request() -> None:
    loader = Loader(ScriptedEngine("good"), failures=1)
    bench = Bench([loader, ScriptedEngine("spare")])
    await bench.chain.start()
    bench.clock.advance(60)
    assert await bench.ask() == Answer("spare", "spare")
    assert loader.loads == 1


async def test_close_gives_back_every_engine_that_was_loaded() -> None:
    good, spare, unused = failing("good", 1), ScriptedEngine("spare"), ScriptedEngine("unused")
    bench = Bench([good, spare, unused])
    await bench.ask()
    await bench.chain.close()
    assert (good.closed, spare.closed, unused.closed) == (True, True, False)


async def test_close_does_not_wait_for_a_load_that_nobody_wants_any_more() -> None:
    loader = Loader(ScriptedEngine("slow"), gate=asyncio.Event())
    bench = Bench([loader])
    starting = asyncio.create_task(bench.chain.start())
    await wait_until(lambda: loader.loads > 0, "the load")
    await cancel_and_wait(starting)
    async with asyncio.timeout(LIMIT_S):
        await bench.chain.close()
    assert not loader.engine.closed


async def test_an_engine_that_breaks_while_it_is_closed_does_not_keep_the_others() -> None:
    class Stubborn(ScriptedEngine):
        async def close(self) -> None:
            raise OSError("device busy")

    stubborn, spare = Stubborn("good", [EngineFailedError("broken")]), ScriptedEngine("spare")
    bench = Bench([stubborn, spare])
    await bench.ask()
    await bench.chain.close()
    assert spare.closed


async def test_the_state_of_a_failed_engine_reads_as_not_ready() -> None:
    bench = Bench([failing("only", 3)])
    await bench.chain.start()
    assert is_ready(bench)
    await ask_often(lambda: _swallow(bench.ask()), 3)
    assert not is_ready(bench)
    bench.clock.advance(30)
    assert is_ready(bench)  # half-open: a request may try
