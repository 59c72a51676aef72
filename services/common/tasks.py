"""Tasks that have an owner: whoever starts one ends it and waits for it."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import TypeVar

T = TypeVar("T")


async def cancel_and_wait(*tasks: "asyncio.Task[T]") -> None:
    """Cancels the tasks and waits until they have ended. Their errors are raised, cancellation is not."""
    for task in tasks:
        task.cancel()
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(outcome, BaseException) and not isinstance(outcome, asyncio.CancelledError):
            raise outcome


async def read_ahead(source: AsyncIterator[T], limit: int) -> AsyncGenerator[T, None]:
    """The items of `source`, read by a task of its own up to `limit` items before they are asked for.

    So a slow reader does not hold up whoever writes the source, within bounds. The source's error comes after its
    items.
    """
    queue: asyncio.Queue[T | _End] = asyncio.Queue(limit)
    task = asyncio.create_task(_fill(queue, source))
    try:
        while not isinstance(item := await queue.get(), _End):
            yield item
        if item.error is not None:
            raise item.error
    finally:
        await cancel_and_wait(task)


class _End:
    def __init__(self, error: Exception | None) -> None:
        self.error = error


async def _fill(queue: "asyncio.Queue[T | _End]", source: AsyncIterator[T]) -> None:
    end = _End(None)
    try:
        async for item in source:
            await queue.put(item)
    except Exception as error:  # noqa: BLE001  # handed to the reader, who raises it
        end = _End(error)
    await queue.put(end)
