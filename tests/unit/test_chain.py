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
    UnavailableError,
    UnsupportedError,
)
from services.common.metrics import ChainMetrics
from services.common.tasks import cancel_and_wait
from tests.fakes.clock import FakeClock
from tests.fakes.engines import ScriptedEngine
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

    def __init__(self, engines: Sequence[ScriptedEngine | Loader]) -> None:
        self.clock = FakeClock()
        self.registry = CollectorRegistry()
        self.loaders = [engine if isinstance(engine, Loader) else Loader(engine) for engine in engines]
        self.chain: EngineChain[ScriptedEngine] = EngineChain(
            [Candidate(loader.engine.name, loader) for loader in self.loaders],
            ChainMetrics.create(self.registry, "test"),
            lambda: CircuitBreaker(3, 30, self.clock),
        )

    async def ask(self, limit_s: float = _LIMIT_S) -> Answer[str]:
        return await self.chain.call(ScriptedEngine.answer, limit_s)

    async def read(self) -> list[Answer[str]]:
        async with aclosing(self.chain.stream(ScriptedEngine.stream, _LIMIT_S, _LIMIT_S)) as items:
            return [item async for item in items]

    def metric(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(f"test_engine_{name}", labels) or 0.0


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
    assert bench.metric("requests_total", backend="good", status="failed") == 1
    assert bench.metric("requests_total", backend="spare", status="ok") == 1
    assert bench.metric("fallbacks_total", backend="good") == 1


async def test_it_falls_to_the_next_when_an_engine_takes_too_long() -> None:
    bench = Bench([ScriptedEngine("good"), ScriptedEngine("spare")])

    async def use(engine: ScriptedEngine) -> str:
        return await (engine.hang() if engine.name == "good" else engine.answer())

    assert await bench.chain.call(use, limit_s=0.05) == Answer("spare", "spare")
    assert bench.metric("requests_total", backend="good", status="failed") == 1


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
    assert bench.metric("requests_total", backend="picky", status="unsupported") == 5
    assert bench.metric("fallbacks_total", backend="picky") == 0


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
    assert bench.metric("requests_total", backend="good", status="refused") == 5


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
    assert bench.metric("requests_total", backend="good", status="ok") == 1


async def test_a_stream_that_fails_before_its_first_item_falls_to_the_next() -> None:
    broken = ScriptedEngine("good", [RuntimeError("a bug")])
    bench = Bench([broken, ScriptedEngine("spare", ["a", "b"])])
    assert await bench.read() == [Answer("spare", "a"), Answer("spare", "b")]
    assert broken.streams_closed == 1
    assert bench.metric("fallbacks_total", backend="good") == 1


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
    assert bench.metric("requests_total", backend="good", status="failed") == 1
    assert bench.metric("fallbacks_total", backend="good") == 0


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
    assert bench.metric("requests_total", backend="good", status="ok") == 1


async def test_a_reader_who_leaves_closes_the_engines_stream_and_blames_nobody() -> None:
    engine = ScriptedEngine("good", ["one", "two", "three"])
    bench = Bench([engine])
    async with aclosing(bench.chain.stream(ScriptedEngine.stream, _LIMIT_S, _LIMIT_S)) as items:
        assert await anext(items) == Answer("good", "one")
    assert engine.streams_closed == 1
    assert bench.metric("requests_total", backend="good", status="cancelled") == 1


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
        await wait_until(lambda: bench.metric("breaker_open", backend="good") == 1, "the metric")
        assert loader.loads == 1  # not before its breaker allows it
        bench.clock.advance(30)
        await wait_until(lambda: loader.loads == 2, "the second load")
        await wait_until(lambda: bench.metric("breaker_open", backend="good") == 1, "the metric")
        bench.clock.advance(30)
        await wait_until(lambda: bench.metric("ready", backend="good") == 1, "the third load")
    assert await bench.ask() == Answer("good", "good")
    assert bench.metric("breaker_open", backend="good") == 0
    assert bench.metric("ready", backend="spare") == 1


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
