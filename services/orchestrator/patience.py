"""How long a stage is waited for until its first result."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable
from contextlib import aclosing
from typing import TypeVar

from services.common.errors import DeadlineError
from services.orchestrator.ports import Stage

T = TypeVar("T")
_END = object()


class Patience:
    """The time that a stage has until its first result, all tries together."""

    def __init__(self, stage: Stage, limit_s: float) -> None:
        self._stage = stage
        self._limit_s = limit_s
        self._ends_at: float | None = None
        self._tries_left = 1
        self._bound: asyncio.Timeout | None = None

    def start(self) -> None:
        """The time runs from now on; said again, it runs anew: the stage was given more to work with."""
        self._ends_at = _now() + self._limit_s
        if self._bound is not None and not self._bound.expired():
            self._bound.reschedule(self._try_ends_at())

    @property
    def is_over(self) -> bool:
        """Whether nothing is left of it."""
        return self._ends_at is not None and self._ends_at <= _now()

    async def over(self, items: AsyncGenerator[T, None], tries_left: int) -> AsyncGenerator[T, None]:
        """The items, if the first one comes in time: one try leaves their share to those that are left after it."""
        self._tries_left = tries_left
        async with aclosing(items):
            first = await self._in_time(anext(items, _END))
            if first is not _END:
                yield first  # type: ignore[misc]  # not _END, so a T
                async for item in items:
                    yield item

    async def _in_time(self, coming: Awaitable[T]) -> T:
        bound = self._bound = asyncio.timeout_at(self._try_ends_at())
        try:
            async with bound:
                return await coming
        except TimeoutError as error:
            if not bound.expired():
                raise  # something inside that nobody caught
            raise DeadlineError(f"{self._stage.value} gave nothing in time ({self._limit_s:g} s)") from error
        finally:
            self._bound = None

    def _try_ends_at(self) -> float | None:
        """Where nobody else could take over, one try may use up all of the time."""
        if self._ends_at is None:
            return None
        return _now() + (self._ends_at - _now()) / self._tries_left


def _now() -> float:
    return asyncio.get_running_loop().time()
