"""Notices when whoever writes a stream pauses."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, TypeVar

from services.common.tasks import wait_for_end

T = TypeVar("T")
# Returns when the future is done, or when it has waited long enough for it.
Patience = Callable[["asyncio.Future[Any]"], Awaitable[object]]


class _End(Enum):
    END = auto()


@dataclass(frozen=True)
class Paused:
    """Nothing more came for a while."""


def patience_of(limit_s: float) -> Patience:
    """So many seconds."""

    async def wait(future: "asyncio.Future[Any]") -> None:
        await asyncio.wait([future], timeout=limit_s)

    return wait


async def with_pauses(source: AsyncIterator[T], patience: Patience) -> AsyncGenerator[T | Paused, None]:
    """The items of `source`, and a Paused behind each whose successor does not come in time. It owns the source."""
    following = asyncio.create_task(_next(source))
    try:
        while (item := await asyncio.shield(following)) is not _End.END:
            following = asyncio.create_task(_next(source))
            yield item
            await patience(following)
            if not following.done():
                yield Paused()
    finally:
        following.cancel()
        await wait_for_end(following)
        if isinstance(source, AsyncGenerator):
            await source.aclose()


async def _next(source: AsyncIterator[T]) -> T | _End:
    return await anext(source, _End.END)
