"""One place in a chain: an engine that is loaded when it is needed, shared, and unloaded when it must go."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar, runtime_checkable

from services.common.breaker import BreakerState, CircuitBreaker
from services.common.tasks import cancel_and_wait

_log = logging.getLogger(__name__)


class Closable(Protocol):
    """What the chain itself needs of an engine."""

    async def close(self) -> None:
        """Gives back all that the engine holds."""


@runtime_checkable
class Watched(Protocol):
    """An engine whose threads may hang."""

    @property
    def stuck(self) -> str | None:
        """Why one of them must be taken for lost, if it must."""


@runtime_checkable
class Paced(Protocol):
    """An engine that works for all its requests together, step by step."""

    @property
    def is_late(self) -> bool:
        """Whether the step under way takes so long that nothing should be expected of it."""


EngineT = TypeVar("EngineT", bound=Closable)


def _no_obstacle(_loaded: bool) -> None:
    return None


@dataclass(frozen=True)
class Candidate(Generic[EngineT]):
    """An engine that may be loaded: `load` returns it warmed up, or raises."""

    name: str
    load: Callable[[], Awaitable[EngineT]]
    obstacle: Callable[[bool], str | None] = _no_obstacle  # why it must not be loaded, or, if it is (True), not stay so
    gpu: str = ""  # the model of its card, for metrics
    load_limit_s: float = 300.0
    close_limit_s: float = 5.0
    last_resort: bool = False  # stands in for engines that fail, not for those that cannot do what is asked


class Slot(Generic[EngineT]):
    """An engine that is there, is not needed yet, or failed."""

    def __init__(self, candidate: Candidate[EngineT], breaker: CircuitBreaker) -> None:
        self.name = candidate.name
        self.gpu = candidate.gpu
        self.last_resort = candidate.last_resort
        self.breaker = breaker
        self.engine: EngineT | None = None
        self.failure: str | None = None  # why it is not loaded, though it was asked for
        self.waits_for_room = False  # that is why
        self._candidate = candidate
        self._hangs_while_loading = False
        self._users = 0
        self._leaving: EngineT | None = None  # taken from new users, not yet closed
        self._left: EngineT | None = None  # the last one closed: a thread of it may be stuck all the same
        self._loading: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None

    @property
    def is_ready(self) -> bool:
        """Whether it can take a request at once."""
        return self.engine is not None and not _is_late(self.engine) and self.breaker.state is not BreakerState.OPEN

    @property
    def has_an_excuse(self) -> bool:
        """Whether a request that it keeps waiting tells nothing of it: it works, and there is much to do."""
        return _is_late(self.engine) is False

    @property
    def is_leaving(self) -> bool:
        """Whether an engine is on its way out."""
        return self._leaving is not None

    @property
    def can_be_mended(self) -> bool:
        """Whether a new load makes sense. After one that hangs it does not: each would cost another thread."""
        busy = self._loading is not None or self._leaving is not None
        return self.failure is not None and not self._hangs_while_loading and not busy

    @property
    def stuck(self) -> str | None:
        """Why the process needs a successor, if it does."""
        reasons = (_stuck(engine) for engine in (self.engine, self._leaving, self._left))
        return next((f"engine {self.name}: {why}" for why in reasons if why is not None), None)

    def obstacle(self) -> str | None:
        """What stands in the way of its being loaded."""
        return self._candidate.obstacle(self.engine is not None)

    def pass_over(self, why: str) -> None:
        """It is not loaded because of an obstacle."""
        self.failure, self.waits_for_room = why, True

    def stand_by(self) -> None:
        """The obstacle is gone, and nobody needs it now."""
        self.failure, self.waits_for_room = None, False

    @contextmanager
    def used(self) -> Iterator[None]:
        """As long as this lasts, the engine is not closed."""
        self._users += 1
        try:
            yield
        finally:
            self._users -= 1
            self._close_if_unused()

    def retire(self, why: str) -> None:
        """Unloads the engine once its users are done. Nobody new gets it until the breaker allows to load it again."""
        self.failure = why
        self.breaker.trip()
        if self.engine is not None:
            _log.warning("engine %s is unloaded: %s", self.name, why)
            self._leaving, self.engine = self.engine, None
            self._close_if_unused()

    async def wait_until_closed(self) -> bool:
        """Where an engine is being closed, waits for that: what it held is free then. False if there was none."""
        if self._closing is None:
            return False
        await asyncio.wait([self._closing])
        return True

    async def ensure_loaded(self, patience_s: float | None = None) -> bool:
        """Loads the engine if need be, and waits that long for it; the load goes on.

        Callers share one load, and none of them can cancel it for the others.
        """
        if loading := self.begin_loading():
            await asyncio.wait([loading], timeout=patience_s)
        return self.engine is not None

    def begin_loading(self) -> "asyncio.Task[None] | None":
        """The load that is under way from now on, if one is needed and possible."""
        if self.engine is None and self._leaving is None and self._loading is None:
            self._loading = asyncio.create_task(self._load_once(), name=f"load {self.name}")
        return self._loading

    async def _load_once(self) -> None:
        limit = asyncio.timeout(self._candidate.load_limit_s)
        try:
            async with limit:
                self.engine = await self._candidate.load()
        except Exception as error:  # noqa: BLE001  # whatever keeps an engine from loading, the chain goes on
            self._hangs_while_loading = limit.expired()
            self.failure = "it hangs while it is loaded" if limit.expired() else str(error) or type(error).__name__
            self.breaker.trip()
            _log.warning("engine %s cannot be loaded: %s", self.name, self.failure)
        else:
            self.stand_by()
            self.breaker.record_success()
            _log.info("engine %s is ready", self.name)
        finally:
            self._loading = None

    def _close_if_unused(self) -> None:
        if not self._users:
            self._begin_closing()

    def _begin_closing(self) -> None:
        if self._leaving is not None and self._closing is None:
            self._closing = asyncio.create_task(self._close_leaving(self._leaving), name=f"close {self.name}")

    async def _close_leaving(self, engine: EngineT) -> None:
        try:
            async with asyncio.timeout(self._candidate.close_limit_s):
                await engine.close()
        except Exception:  # noqa: BLE001  # the other engines must be closed all the same
            _log.warning("engine %s cannot be closed", self.name, exc_info=True)
        finally:
            self._left = engine if isinstance(engine, Watched) else None
            self._leaving = self._closing = None

    async def close(self) -> None:
        """Ends a load and closes the engine, whoever uses it."""
        if self._loading is not None:
            await cancel_and_wait(self._loading)
        if self.engine is not None:
            self._leaving, self.engine = self.engine, None
        self._begin_closing()
        await self.wait_until_closed()


def _is_late(engine: object) -> bool | None:
    """None of an engine that cannot tell."""
    return engine.is_late if isinstance(engine, Paced) else None


def _stuck(engine: object) -> str | None:
    return engine.stuck if isinstance(engine, Watched) else None
