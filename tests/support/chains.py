"""A chain of scripted engines: what the tests of services/common/chain.py share."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager

from prometheus_client import CollectorRegistry

from services.common.breaker import CircuitBreaker
from services.common.chain import Answer, Candidate, EngineChain
from services.common.errors import (
    EngineFailedError,
)
from services.common.metrics import ChainMetrics
from services.common.tasks import cancel_and_wait
from tests.fakes.clock import FakeClock
from tests.fakes.engines import ScriptedEngine

LIMIT_S = 20.0


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

    def __init__(
        self,
        engines: Sequence[ScriptedEngine | Loader],
        load_limit_s: float = LIMIT_S,
        last_resort: str = "",
        at_start: int = 1,
    ) -> None:
        self._last_resort = last_resort  # the name of the engine that is one
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
            at_start,
        )
        self.looks = 0

    async def _look(self) -> None:
        self.looks += 1

    def _candidate(self, loader: Loader, load_limit_s: float) -> Candidate[ScriptedEngine]:
        name = loader.engine.name

        def obstacle(loaded: bool) -> str | None:
            return (self.pressure if loaded else self.obstacles).get(name)

        is_last_resort = name == self._last_resort
        return Candidate(name, loader, obstacle, "RTX", load_limit_s, last_resort=is_last_resort)

    def failures(self) -> dict[str, str | None]:
        return {status.name: status.failure for status in self.chain.status()}

    def loaded(self) -> list[str]:
        return [status.name for status in self.chain.status() if status.engine is not None]

    async def ask(self, limit_s: float = LIMIT_S) -> Answer[str]:
        return await self.chain.call(ScriptedEngine.answer, limit_s)

    async def read(self) -> list[Answer[str]]:
        async with aclosing(self.chain.stream(ScriptedEngine.stream, LIMIT_S, LIMIT_S)) as items:
            return [item async for item in items]

    def metric(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(f"test_{name}", labels) or 0.0

    def requests(self, backend: str, status: str) -> float:
        return self.metric("requests_total", backend=backend, status=status, gpu="RTX")


@asynccontextmanager
async def kept_up(bench: Bench) -> AsyncIterator[None]:
    task = asyncio.create_task(bench.chain.keep_up(every_s=0.001))
    try:
        yield
    finally:
        await cancel_and_wait(task)


def is_ready(bench: Bench) -> bool:
    return bench.chain.ready  # a call, so that mypy does not take it for constant


async def ask_often(ask: Callable[[], Awaitable[object]], times: int = 3) -> None:
    for _ in range(times):
        await ask()


def failing(name: str, times: int, error: BaseException | None = None) -> ScriptedEngine:
    return ScriptedEngine(name, [error or EngineFailedError("it broke")] * times)
