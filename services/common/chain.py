"""A chain of engines, best first: when one fails, the next takes over, and it climbs back by itself.

An engine is left out of a request when it could not be loaded, when its breaker is open, or when it says that it
cannot do this kind of request (UnsupportedError: nobody's fault). It fails a request by EngineFailedError,
UnavailableError, any unexpected exception or by its time running out. Every other CallError is the caller's affair and
passes through. Once a streamed answer has begun there is no going back: its failure ends the request.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from services.common.attempt import Attempt
from services.common.breaker import BreakerState, CircuitBreaker
from services.common.errors import UnavailableError, UnsupportedError
from services.common.metrics import ChainMetrics
from services.common.tasks import cancel_and_wait

_log = logging.getLogger(__name__)
Result = TypeVar("Result")


class Closable(Protocol):
    """What the chain itself needs of an engine."""

    async def close(self) -> None:
        """Gives back all that the engine holds."""


EngineT = TypeVar("EngineT", bound=Closable)


@dataclass(frozen=True)
class Candidate(Generic[EngineT]):
    """An engine that may be loaded: `load` returns it warmed up, or raises."""

    name: str
    load: Callable[[], Awaitable[EngineT]]


@dataclass(frozen=True)
class Answer(Generic[Result]):
    """A result and the engine that gave it."""

    backend: str
    value: Result


@dataclass(frozen=True)
class EngineStatus(Generic[EngineT]):
    """How one engine of the chain is. `engine` is None while it is not loaded."""

    name: str
    engine: EngineT | None
    failure: str | None


class _Slot(Generic[EngineT]):
    """One place in the chain: an engine that is there, is not needed yet, or failed."""

    def __init__(self, candidate: Candidate[EngineT], breaker: CircuitBreaker) -> None:
        self.name = candidate.name
        self.breaker = breaker
        self.engine: EngineT | None = None
        self.load_failure: str | None = None
        self._load = candidate.load
        self._loading: asyncio.Task[None] | None = None

    async def ensure_loaded(self) -> bool:
        """Loads the engine if need be. Callers share one load, and none of them can cancel it for the others."""
        if self.engine is None:
            if self._loading is None:
                self._loading = asyncio.create_task(self._load_once(), name=f"load {self.name}")
            await asyncio.shield(self._loading)
        return self.engine is not None

    async def _load_once(self) -> None:
        try:
            self.engine = await self._load()
        except Exception as error:  # noqa: BLE001  # whatever keeps an engine from loading, the chain goes on
            self.load_failure = str(error) or type(error).__name__
            self.breaker.trip()
            _log.warning("engine %s cannot be loaded: %s", self.name, self.load_failure)
        else:
            self.load_failure = None
            self.breaker.record_success()
            _log.info("engine %s is ready", self.name)
        finally:
            self._loading = None

    async def close(self) -> None:
        if self._loading is not None:
            await cancel_and_wait(self._loading)
        if self.engine is not None:
            engine, self.engine = self.engine, None
            try:
                await engine.close()
            except Exception:  # noqa: BLE001  # the other engines must be closed all the same
                _log.warning("engine %s cannot be closed", self.name, exc_info=True)


class EngineChain(Generic[EngineT]):
    """The engines of one service."""

    def __init__(
        self,
        candidates: Sequence[Candidate[EngineT]],
        metrics: ChainMetrics,
        make_breaker: Callable[[], CircuitBreaker] = CircuitBreaker,
    ) -> None:
        self._slots = [_Slot(candidate, make_breaker()) for candidate in candidates]
        self._metrics = metrics

    async def start(self) -> None:
        """Loads the best engine that can be loaded; the others wait until they are needed."""
        await self._ensure_one()
        self._publish()

    async def _ensure_one(self) -> None:
        for slot in self._slots:
            if slot.breaker.state is not BreakerState.OPEN and await slot.ensure_loaded():
                break

    async def close(self) -> None:
        """Gives back every engine."""
        for slot in self._slots:
            await slot.close()

    async def keep_up(self, every_s: float = 1.0) -> None:
        """Runs for ever: loads again what failed to load, when its breaker allows it, or the next when none is left."""
        while True:
            await asyncio.sleep(every_s)
            for slot in self._slots:
                if slot.load_failure is not None and slot.breaker.try_acquire():
                    await slot.ensure_loaded()
            if not self.ready:  # an engine that breaks inside of streams lets no request fall to the next
                await self._ensure_one()
            self._publish()

    @property
    def ready(self) -> bool:
        """Whether some engine can take a request."""
        return any(slot.engine is not None and slot.breaker.state is not BreakerState.OPEN for slot in self._slots)

    def status(self) -> list[EngineStatus[EngineT]]:
        """How each engine is, best first."""
        return [EngineStatus(slot.name, slot.engine, self._failure_of(slot)) for slot in self._slots]

    def best(self) -> Answer[EngineT]:
        """The engine that would take a request now, for asking it about itself."""
        for slot in self._slots:
            if slot.engine is not None and slot.breaker.state is not BreakerState.OPEN:
                return Answer(slot.name, slot.engine)
        raise self._nobody_left()

    async def call(self, use: Callable[[EngineT], Awaitable[Result]], limit_s: float) -> Answer[Result]:
        """One answer from the first engine that gives one; each may take `limit_s` seconds."""
        async with aclosing(self._attempts()) as attempts:
            async for backend, engine, attempt in attempts:
                with attempt:
                    async with asyncio.timeout(limit_s):
                        value = await use(engine)
                    attempt.succeeded()
                    return Answer(backend, value)
        raise AssertionError("unreachable: _attempts raises when nobody is left")

    async def stream(
        self, use: Callable[[EngineT], AsyncGenerator[Result, None]], first_limit_s: float, next_limit_s: float
    ) -> AsyncGenerator[Answer[Result], None]:
        """A streamed answer; the next engine takes over only before the first item."""
        async with aclosing(self._attempts()) as attempts:
            async for backend, engine, attempt in attempts:
                with attempt:
                    async with aclosing(_in_time(use(engine), first_limit_s, next_limit_s)) as items:
                        async for item in items:
                            attempt.began()
                            yield Answer(backend, item)
                        attempt.succeeded()
                        return

    async def _attempts(self) -> AsyncGenerator[tuple[str, EngineT, Attempt], None]:
        """Each engine that may be tried, with the attempt that judges how it went."""
        refusals: list[UnsupportedError] = []
        for slot in self._slots:
            if slot.load_failure is not None or not slot.breaker.try_acquire():
                continue
            try:
                loaded = await slot.ensure_loaded()
            except asyncio.CancelledError:
                slot.breaker.release()
                raise
            if loaded and slot.engine is not None:
                attempt = Attempt(slot.name, slot.breaker, self._metrics)
                yield slot.name, slot.engine, attempt
                if attempt.refusal is not None:
                    refusals.append(attempt.refusal)
        if refusals and len(refusals) == len(self._slots):
            raise refusals[-1]
        raise self._nobody_left()

    def _nobody_left(self) -> UnavailableError:
        failures = "; ".join(f"{slot.name}: {self._failure_of(slot) or 'failed'}" for slot in self._slots)
        return UnavailableError(f"no engine can take the request now ({failures or 'none is configured'})")

    def _failure_of(self, slot: _Slot[EngineT]) -> str | None:
        if slot.load_failure is not None:
            return slot.load_failure
        return "failed too often, tried again soon" if slot.breaker.state is BreakerState.OPEN else None

    def _publish(self) -> None:
        for slot in self._slots:
            self._metrics.ready.labels(slot.name).set(slot.engine is not None)
            self._metrics.breaker_open.labels(slot.name).set(slot.breaker.state is BreakerState.OPEN)


_END = object()


async def _in_time(
    items: AsyncGenerator[Result, None], first_limit_s: float, next_limit_s: float
) -> AsyncGenerator[Result, None]:
    """The items, if each comes in time. The time that their reader takes does not count."""
    limit_s = first_limit_s
    async with aclosing(items):
        while True:
            async with asyncio.timeout(limit_s):
                item = await anext(items, _END)
            if item is _END:
                return
            yield item  # type: ignore[misc]  # not _END, so a Result
            limit_s = next_limit_s
