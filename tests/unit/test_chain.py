"""services/common/chain.py."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager

import pytest
from prometheus_client import CollectorRegistry

from services.common.breaker import CircuitBreaker
from services.common.chain import Answer, Candidate, EngineChain
from services.common.errors import (
    CallError,
    DeadlineError,
    EngineFailedError,
    InvalidInputError,
    OutOfMemoryError,
    UnavailableError,
    UnsupportedError,
)
from services.common.metrics import ChainMetrics
from services.common.tasks import cancel_and_wait
from tests.fakes.clock import FakeClock
from tests.fakes.engines import HangingEngine, ScriptedEngine
from tests.support.waiting import wait_until

_LIMIT_S = 20.0


class Loader:
    """Loads a scripted engine, now or when told, or fails as often as told."""

    def __init__(self, engine: ScriptedEngine, *, failures: int = 0, gate: asyncio.Event | None = None) -> None:
        self.engine = engine
        self.loads = 0
        self._failures = failures
        self._gate = gate

    async def __call__(self) -> ScriptedEngine:
        self.loads += 1
        if self._gate is not None:
            await self._gate.wait()
        if self.loads <= self._failures:
            raise OSError(f"{self.engine.name} has no model")
        return self.engine


class Bench:
    """A chain of scripted engines, its clock and its metrics."""

    def __init__(self, engines: Sequence[ScriptedEngine | Loader], load_limit_s: float = _LIMIT_S) -> None:
        self.clock = FakeClock()
        self.registry = CollectorRegistry()
        self.obstacles: dict[str, str] = {}  # of engines that are not loaded
        self.pressure: dict[str, str] = {}  # of those that are
        self.loaders = [engine if isinstance(engine, Loader) else Loader(engine) for engine in engines]
        self.chain: EngineChain[ScriptedEngine] = EngineChain(
            [self._candidate(loader, load_limit_s) for loader in self.loaders],
            ChainMetrics.create(self.registry, "test"),
            lambda: CircuitBreaker(3, 30, self.clock),
            self._look,
        )
        self.looks = 0

    async def _look(self) -> None:
        self.looks += 1

    def _candidate(self, loader: Loader, load_limit_s: float) -> Candidate[ScriptedEngine]:
        name = loader.engine.name

        def obstacle(loaded: bool) -> str | None:
            return (self.pressure if loaded else self.obstacles).get(name)

        return Candidate(name, loader, obstacle, "RTX", load_limit_s)

    def failures(self) -> dict[str, str | None]:
        return {status.name: status.failure for status in self.chain.status()}

    def loaded(self) -> list[str]:
        return [status.name for status in self.chain.status() if status.engine is not None]

    async def ask(self, limit_s: float = _LIMIT_S) -> Answer[str]:
        return await self.chain.call(ScriptedEngine.answer, limit_s)

    async def read(self) -> list[Answer[str]]:
        async with aclosing(self.chain.stream(ScriptedEngine.stream, _LIMIT_S, _LIMIT_S)) as items:
            return [item async for item in items]

    def metric(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(f"test_{name}", labels) or 0.0

    def requests(self, backend: str, status: str) -> float:
        return self.metric("requests_total", backend=backend, status=status, gpu="RTX")


@asynccontextmanager
async def _kept_up(bench: Bench) -> AsyncIterator[None]:
    task = asyncio.create_task(bench.chain.keep_up(every_s=0.001))
    try:
        yield
    finally:
        await cancel_and_wait(task)


def _ready(bench: Bench) -> bool:
    return bench.chain.ready  # a call, so that mypy does not take it for constant


async def _break(ask: Callable[[], Awaitable[object]], times: int = 3) -> None:
    for _ in range(times):
        await ask()


def _failing(name: str, times: int, error: BaseException | None = None) -> ScriptedEngine:
    return ScriptedEngine(name, [error or EngineFailedError("it broke")] * times)


async def test_start_loads_the_best_engine_and_no_other() -> None:
    bench = Bench([ScriptedEngine("good"), ScriptedEngine("spare")])
    assert not _ready(bench)
    await bench.chain.start()
    assert [loader.loads for loader in bench.loaders] == [1, 0]
    assert _ready(bench)
    assert await bench.ask() == Answer("good", "good")
    assert bench.chain.best().backend == "good"


async def test_start_goes_on_to_the_next_where_the_best_cannot_be_loaded() -> None:
    bench = Bench([Loader(ScriptedEngine("good"), failures=1), ScriptedEngine("spare"), ScriptedEngine("third")])
    await bench.chain.start()
    assert [loader.loads for loader in bench.loaders] == [1, 1, 0]
    assert await bench.ask() == Answer("spare", "spare")
    status = {engine.name: engine.failure for engine in bench.chain.status()}
    assert status == {"good": "good has no model", "spare": None, "third": None}


@pytest.mark.parametrize("error", [EngineFailedError("broken"), UnavailableError("away"), RuntimeError("a bug")])
async def test_it_falls_to_the_next_when_an_engine_fails(error: Exception) -> None:
    good = _failing("good", 1, error)
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
    assert await bench.chain.call(ScriptedEngine.answer, _LIMIT_S) == Answer("first", "first")


async def test_failures_that_are_no_timeouts_go_down_the_whole_chain() -> None:
    bench = Bench([_failing(name, 1) for name in ("first", "second", "third")] + [ScriptedEngine("last")])
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
    good = _failing("good", 3)
    bench = Bench([good, ScriptedEngine("spare")])
    await _break(bench.ask, 3)
    assert await bench.ask() == Answer("spare", "spare")
    assert good.asked == 3
    assert [engine.failure is None for engine in bench.chain.status()] == [False, True]


async def test_it_climbs_back_when_the_breakers_time_is_over() -> None:
    bench = Bench([_failing("good", 3), ScriptedEngine("spare")])
    await _break(bench.ask, 3)
    bench.clock.advance(30)
    assert await bench.ask() == Answer("good", "good")
    assert await bench.ask() == Answer("good", "good")


async def test_only_one_request_probes_a_half_open_engine() -> None:
    good = _failing("good", 3)
    bench = Bench([good, ScriptedEngine("spare")])
    await _break(bench.ask, 3)
    bench.clock.advance(30)

    async def use(engine: ScriptedEngine) -> str:
        return await (engine.hang() if engine.name == "good" else engine.answer())

    probe = asyncio.create_task(bench.chain.call(use, _LIMIT_S))
    await wait_until(lambda: good.asked == 4, "the probe")
    assert await bench.ask() == Answer("spare", "spare")
    # Cancelled, the probe tells nothing of the engine: the next request may probe.
    await cancel_and_wait(probe)
    assert await bench.ask() == Answer("good", "good")


async def test_unsupported_is_nobodys_fault() -> None:
    picky = _failing("picky", 5, UnsupportedError("not my language"))
    bench = Bench([picky, ScriptedEngine("spare")])
    for _ in range(5):
        assert await bench.ask() == Answer("spare", "spare")
    assert picky.asked == 5  # its breaker stayed closed
    assert bench.requests("picky", "unsupported") == 5
    assert bench.metric("engine_fallbacks_total", backend="picky") == 0


async def test_what_no_engine_supports_is_unsupported() -> None:
    bench = Bench([_failing(name, 1, UnsupportedError(f"{name} cannot")) for name in ("one", "two")])
    with pytest.raises(UnsupportedError, match="cannot"):
        await bench.ask()


async def test_what_a_broken_engine_might_support_is_unavailable_not_unsupported() -> None:
    """Else a caller would be told never to try again, though the engine is back in half a minute."""
    bench = Bench([_failing("good", 3), _failing("picky", 5, UnsupportedError("not my language"))])
    for _ in range(4):  # the fourth meets an open breaker
        with pytest.raises(UnavailableError):
            await bench.ask()


@pytest.mark.parametrize("error", [InvalidInputError("text", "is bad"), DeadlineError("no time left")])
async def test_the_callers_own_faults_pass_through_and_count_for_nothing(error: CallError) -> None:
    good, spare = _failing("good", 5, error), ScriptedEngine("spare")
    bench = Bench([good, spare])
    for _ in range(5):
        with pytest.raises(type(error)) as caught:
            await bench.ask()
        assert caught.value is error
    assert spare.asked == 0
    assert await bench.ask() == Answer("good", "good")
    assert bench.requests("good", "refused") == 5


async def test_nobody_left_is_unavailable_and_says_why() -> None:
    bench = Bench([Loader(ScriptedEngine("good"), failures=9), _failing("spare", 9)])
    await bench.chain.start()
    with pytest.raises(UnavailableError, match=r"good: good has no model; spare: ") as caught:
        await bench.ask()
    assert caught.value.retryable
    await _break(lambda: _swallow(bench.ask()), 2)
    with pytest.raises(UnavailableError, match="spare: failed too often"):
        await bench.ask()
    with pytest.raises(UnavailableError, match="good has no model"):
        bench.chain.best()
    assert not _ready(bench)


async def _swallow(asked: Awaitable[object]) -> None:
    with pytest.raises(UnavailableError):
        await asked


async def test_a_chain_without_engines_says_so() -> None:
    bench = Bench([])
    await bench.chain.start()
    with pytest.raises(UnavailableError, match="none is configured"):
        await bench.ask()


# Streams


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

    answers = [item async for item in bench.chain.stream(use, 0.05, _LIMIT_S)]
    assert answers == [Answer("spare", "spare")]


async def test_a_stream_that_fails_later_ends_the_request_with_a_typed_error() -> None:
    spare = ScriptedEngine("spare")
    bench = Bench([ScriptedEngine("good", ["one", RuntimeError("secret")]), spare])
    items = bench.chain.stream(ScriptedEngine.stream, _LIMIT_S, _LIMIT_S)
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
        async for _ in bench.chain.stream(use, _LIMIT_S, 0.05):
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
    async with aclosing(bench.chain.stream(ScriptedEngine.stream, _LIMIT_S, _LIMIT_S)) as items:
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
    async with _kept_up(bench):
        await wait_until(lambda: bench.chain.ready, "the spare engine")
    assert bench.chain.best().backend == "spare"


# Loading


async def test_an_engine_is_loaded_when_it_is_needed_and_once_for_all_who_wait() -> None:
    gate = asyncio.Event()
    loader = Loader(ScriptedEngine("spare"), gate=gate)
    bench = Bench([_failing("good", 3), loader])
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
    async with _kept_up(bench):
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
    good, spare, unused = _failing("good", 1), ScriptedEngine("spare"), ScriptedEngine("unused")
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
    async with asyncio.timeout(_LIMIT_S):
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
    bench = Bench([_failing("only", 3)])
    await bench.chain.start()
    assert _ready(bench)
    await _break(lambda: _swallow(bench.ask()), 3)
    assert not _ready(bench)
    bench.clock.advance(30)
    assert _ready(bench)  # half-open: a request may try


# Memory


_FULL = "21.0 of 25.8 GB are in use"


async def test_an_engine_that_runs_out_of_memory_is_unloaded_and_the_next_answers_the_same_request() -> None:
    large = _failing("large", 1, OutOfMemoryError("CUDA failed with error out of memory"))
    bench = Bench([large, ScriptedEngine("small")])
    assert await bench.ask() == Answer("small", "small")
    await wait_until(lambda: large.closed, "the memory of the large one")
    assert bench.loaded() == ["small"]
    assert bench.failures()["large"] == "ran out of memory: CUDA failed with error out of memory"
    assert bench.metric("errors_total", backend="large", reason="OUT_OF_MEMORY") == 1
    assert bench.looks > 0  # the small one was judged by what was free then


async def test_after_the_breakers_time_it_is_loaded_again_in_the_background() -> None:
    bench = Bench([_failing("large", 1, OutOfMemoryError("full")), ScriptedEngine("small")])
    await bench.ask()
    async with _kept_up(bench):
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

    running = asyncio.create_task(bench.chain.call(slowly, _LIMIT_S))
    await wait_until(lambda: large.asked == 1, "the one that uses it")
    assert await bench.chain.call(out_of_memory, _LIMIT_S) == Answer("small", "small")
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
    async with _kept_up(bench):
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
    async with _kept_up(bench):
        await wait_until(lambda: gone == ["medium"], "the end of the spare one")
        looks = bench.looks
        await wait_until(lambda: bench.looks > looks + 5, "some more passes")
    assert gone == ["medium"]
    assert await bench.ask() == Answer("large", "large")


async def test_under_pressure_the_smaller_one_takes_over_and_the_larger_comes_back_when_it_is_over() -> None:
    large = ScriptedEngine("large")
    bench = Bench([large, ScriptedEngine("small")])
    await bench.chain.start()
    async with _kept_up(bench):
        bench.pressure["large"] = bench.obstacles["large"] = _FULL
        await wait_until(lambda: bench.loaded() == ["small"], "the small one")  # before anybody asks for it
        assert large.closed
        assert bench.failures()["large"] == _FULL
        bench.pressure.clear()
        bench.obstacles.clear()
        bench.clock.advance(30)  # not at once: it could be pushed out and come back every second
        await wait_until(lambda: "large" in bench.loaded(), "the large one")


async def test_what_found_no_room_and_is_not_needed_any_more_stands_by() -> None:
    bench = Bench([_failing("large", 1), ScriptedEngine("medium"), ScriptedEngine("small")])
    bench.obstacles["medium"] = _FULL
    assert await bench.ask() == Answer("small", "small")
    assert bench.failures()["medium"] == _FULL
    async with _kept_up(bench):
        del bench.obstacles["medium"]
        await wait_until(lambda: bench.failures()["medium"] is None, "the end of the obstacle")
    assert bench.loaders[1].loads == 0


async def test_a_service_whose_only_engine_has_no_room_says_so() -> None:
    bench = Bench([ScriptedEngine("only")])
    bench.obstacles["only"] = _FULL
    await bench.chain.start()
    assert not _ready(bench)
    with pytest.raises(UnavailableError, match=f"only: {_FULL}"):
        await bench.ask()


# Threads that do not come back


async def test_an_engine_that_hangs_while_it_is_loaded_is_not_tried_again() -> None:
    hanging = Loader(ScriptedEngine("good"), gate=asyncio.Event())
    bench = Bench([hanging, ScriptedEngine("spare")], load_limit_s=0.05)
    await bench.chain.start()
    assert bench.failures()["good"] == "it hangs while it is loaded"
    async with _kept_up(bench):
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
        assert await bench.chain.call(lambda engine: engine.answer(), _LIMIT_S) == Answer("spare", "spare")
        assert good.asked == 1
        async with asyncio.timeout(_LIMIT_S):
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
    assert await chain.call(ScriptedEngine.answer, _LIMIT_S) == Answer("spare", "spare")
    async with asyncio.timeout(_LIMIT_S):
        await chain.close()
    assert spare.engine.closed
