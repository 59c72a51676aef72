"""A chain of engines, best first: when one fails, the next takes over, and it climbs back by itself.

An engine is left out of a request when it could not be loaded, when its breaker is open, when there is no room for it,
or when it says that it cannot do this kind of request (UnsupportedError: nobody's fault, and where all say so no case
for a last resort). It fails a request by EngineFailedError, UnavailableError, any unexpected exception or by its time
running out. Every other CallError is the caller's affair and passes through. Once a streamed answer has begun there is
no going back: its failure ends the request.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Generic, TypeVar

from services.common.attempt import Attempt
from services.common.breaker import BreakerState, CircuitBreaker
from services.common.errors import DeadlineError, UnavailableError, UnsupportedError
from services.common.metrics import ChainMetrics
from services.common.slot import Candidate, EngineT, Slot

__all__ = ["Answer", "Candidate", "EngineChain", "EngineStatus", "EngineT"]
Result = TypeVar("Result")
# Whom two engines kept waiting has waited long enough.
_MOST_TIMEOUTS = 2


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


async def _nothing() -> None:
    return None


def _always(_item: object) -> bool:
    return True


class EngineChain(Generic[EngineT]):
    """The engines of one service."""

    def __init__(
        self,
        candidates: Sequence[Candidate[EngineT]],
        metrics: ChainMetrics,
        make_breaker: Callable[[], CircuitBreaker] = CircuitBreaker,
        look: Callable[[], Awaitable[object]] = _nothing,
        at_start: int = 1,
    ) -> None:
        """`look` renews what the candidates' obstacles go by, such as the memory that is free.

        So many engines are loaded `at_start`, the best first; the others wait until they are needed.
        """
        self._slots = [Slot(candidate, make_breaker()) for candidate in candidates]
        self._metrics = metrics
        self._look = look
        self._at_start = at_start

    async def start(self) -> None:
        """Loads the best engines that can be loaded."""
        await self._look()
        await self._ensure(self._at_start)
        self._publish()

    async def _ensure(self, count: int) -> None:
        for slot in self._slots:
            if slot.breaker.state is not BreakerState.OPEN and self._may_be_used(slot) and await slot.ensure_loaded():
                count -= 1
                if not count:
                    break

    async def close(self) -> None:
        """Gives back every engine."""
        for slot in self._slots:
            await slot.close()

    async def keep_up(self, every_s: float = 1.0) -> None:
        """Runs for ever: unloads what must go, loads again what had to go or failed, or the next when none is left."""
        while True:
            await asyncio.sleep(every_s)
            await self._look()
            self._unload_one()
            self._mend()
            if not self.ready:  # an engine that breaks inside of streams lets no request fall to the next
                await self._ensure(1)
            self._publish()

    def _unload_one(self) -> None:
        """One at a time, so that the next is judged by the memory that is free then. The least good one goes first."""
        if any(slot.is_leaving for slot in self._slots):
            return
        for slot in reversed(self._slots):
            if slot.engine is not None and (why := slot.obstacle()) is not None:
                slot.retire(why)
                slot.waits_for_room = True
                return

    def _mend(self) -> None:
        """Loads what failed to load or had to go, when breaker and obstacle allow it. Requests do not wait for it."""
        better_is_ready = False
        for slot in self._slots:
            if slot.can_be_mended and slot.breaker.state is not BreakerState.OPEN:
                if (why := slot.obstacle()) is not None:
                    slot.pass_over(why)
                elif slot.waits_for_room and better_is_ready:
                    slot.stand_by()
                elif slot.breaker.try_acquire():
                    slot.begin_loading()
            better_is_ready = better_is_ready or slot.is_ready

    @property
    def ready(self) -> bool:
        """Whether some engine can take a request."""
        return any(slot.is_ready for slot in self._slots)

    @property
    def stuck(self) -> str | None:
        """Why the process needs a successor: a thread of an engine does not come back."""
        return next((slot.stuck for slot in self._slots if slot.stuck is not None), None)

    def status(self) -> list[EngineStatus[EngineT]]:
        """How each engine is, best first."""
        return [EngineStatus(slot.name, slot.engine, _failure_of(slot)) for slot in self._slots]

    def best(self) -> Answer[EngineT]:
        """The engine that would take a request now, for asking it about itself."""
        for slot in self._slots:
            if slot.engine is not None and slot.is_ready:
                return Answer(slot.name, slot.engine)
        raise self._nobody_left()

    async def call(
        self, use: Callable[[EngineT], Awaitable[Result]], limit_s: float, most_timeouts: int = _MOST_TIMEOUTS
    ) -> Answer[Result]:
        """One answer from the first engine that gives one; each may take `limit_s` seconds.

        When `most_timeouts` engines took longer the request ends with a DeadlineError, whoever else there is.
        """
        async with aclosing(self._attempts(limit_s, most_timeouts)) as attempts:
            async for backend, engine, attempt in attempts:
                with attempt:
                    async with asyncio.timeout(limit_s):
                        value = await use(engine)
                    attempt.succeeded()
                    return Answer(backend, value)
        raise AssertionError("unreachable: _attempts raises when nobody is left")

    async def stream(
        self,
        use: Callable[[EngineT], AsyncGenerator[Result, None]],
        first_limit_s: float,
        next_limit_s: float,
        is_part: Callable[[Result], bool] = _always,
    ) -> AsyncGenerator[Answer[Result], None]:
        """A streamed answer; the next engine takes over only before the first item that is a part of the answer."""
        async with aclosing(self._attempts(first_limit_s, len(self._slots))) as attempts:
            async for backend, engine, attempt in attempts:
                with attempt:
                    async with aclosing(_in_time(use(engine), first_limit_s, next_limit_s)) as items:
                        async for item in items:
                            if is_part(item):
                                attempt.began()
                            yield Answer(backend, item)
                        attempt.succeeded()
                        return

    async def _attempts(
        self, load_patience_s: float, most_timeouts: int
    ) -> AsyncGenerator[tuple[str, EngineT, Attempt], None]:
        """Each engine that may be tried, with the attempt that judges how it went."""
        refusals: list[UnsupportedError] = []
        timeouts = 0
        failed = False
        for slot in self._slots:
            if slot.last_resort and refusals and not failed:
                break
            engine = await self._acquire(slot, load_patience_s)
            if engine is None:
                failed = True
                continue
            attempt = Attempt(slot, self._metrics)
            with slot.used():
                try:
                    yield slot.name, engine, attempt
                finally:
                    if attempt.out_of_memory is not None:
                        slot.retire(f"ran out of memory: {attempt.out_of_memory.message}")
            timeouts += attempt.timed_out
            if timeouts and timeouts == most_timeouts:
                raise DeadlineError(f"{timeouts} engines took too long")
            if attempt.refusal is not None:
                refusals.append(attempt.refusal)
            else:
                failed = True
        if refusals and not failed:
            raise refusals[-1]
        raise self._nobody_left()

    async def _acquire(self, slot: Slot[EngineT], load_patience_s: float) -> EngineT | None:
        """The engine, if a request may try it. One that takes longer to load is there for the next request."""
        if slot.engine is None:
            await self._wait_for_departures()
        if not self._may_be_used(slot) or not slot.breaker.try_acquire():
            return None
        try:
            await slot.ensure_loaded(load_patience_s)
        except asyncio.CancelledError:
            slot.breaker.release()
            raise
        if slot.engine is None and slot.failure is None:  # it is still being loaded
            slot.breaker.release()
        return slot.engine

    async def _wait_for_departures(self) -> None:
        """What is being unloaded makes room for what is to be loaded."""
        if any([await slot.wait_until_closed() for slot in self._slots]):
            await self._look()

    def _may_be_used(self, slot: Slot[EngineT]) -> bool:
        if slot.engine is None and slot.failure is None and (why := slot.obstacle()) is not None:
            slot.pass_over(why)
        return slot.failure is None and slot.stuck is None

    def _nobody_left(self) -> UnavailableError:
        failures = "; ".join(f"{slot.name}: {_failure_of(slot) or 'failed'}" for slot in self._slots)
        return UnavailableError(f"no engine can take the request now ({failures or 'none is configured'})")

    def _publish(self) -> None:
        for slot in self._slots:
            self._metrics.ready.labels(slot.name).set(slot.engine is not None)
            self._metrics.breaker_open.labels(slot.name).set(slot.breaker.state is BreakerState.OPEN)


def _failure_of(slot: Slot[EngineT]) -> str | None:
    if why := slot.failure or slot.stuck:
        return why
    return "failed too often, tried again soon" if slot.breaker.state is BreakerState.OPEN else None


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
