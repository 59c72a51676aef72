"""Tasks that have an owner: whoever starts one ends it and waits for it."""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any, TypeVar

_log = logging.getLogger(__name__)
T = TypeVar("T")
ResultT = TypeVar("ResultT")


async def cancel_and_wait(*tasks: "asyncio.Task[T]") -> None:
    """Cancels the tasks and waits until they have ended. Their errors are raised, cancellation is not."""
    for task in tasks:
        task.cancel()
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(outcome, BaseException) and not isinstance(outcome, asyncio.CancelledError):
            raise outcome


async def wait_for_end(work: "asyncio.Future[Any]") -> None:
    """Waits until the work has ended, through cancellations; they are raised afterwards. Its result does not matter."""
    cancelled = False
    while not work.done():
        try:
            await asyncio.wait([work])
        except asyncio.CancelledError:
            cancelled = True
    if not work.cancelled():
        work.exception()  # retrieved, so that asyncio does not report it
    if cancelled:
        raise asyncio.CancelledError


async def close_for_sure(items: AsyncGenerator[Any, None]) -> None:
    """Closes a generator in a task of its own, so that a cancellation of this one cannot cut its clean-up short."""
    await wait_for_end(asyncio.create_task(_close(items)))


async def _close(items: AsyncGenerator[Any, None]) -> None:
    try:
        await items.aclose()
    except Exception as error:  # noqa: BLE001  # what made it end matters more to whoever waits
        _log.error("the clean-up of %s failed", getattr(items, "__qualname__", items), exc_info=error)


def first_error(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The error that a task group ended of, out of its wrapping."""
    error = group.exceptions[0]
    return first_error(error) if isinstance(error, BaseExceptionGroup) else error


async def read_ahead(source: AsyncIterator[T], limit: int) -> AsyncGenerator[T, None]:
    """The items of `source`, read by a task of its own up to `limit` items before they are asked for.

    So a slow reader does not hold up whoever writes the source, within bounds. The source's error comes after its
    items.
    """
    async with aclosing(read_batches(source, limit)) as batches:
        async for batch in batches:
            for item in batch:
                yield item


async def read_batches(source: AsyncIterator[T], limit: int) -> AsyncGenerator[list[T], None]:
    """Like `read_ahead`, but gives all items at once that came since the last time: at least one.

    It owns the source: a generator is closed with it, also one that waits for room.
    """
    queue: asyncio.Queue[T | _End] = asyncio.Queue(limit)
    task = asyncio.create_task(_fill(queue, source))
    try:
        while True:
            batch, end = _sort_out([await queue.get(), *_waiting(queue)])
            if batch:
                yield batch
            if end is not None:
                if end.error is not None:
                    raise end.error
                return
    finally:
        await cancel_and_wait(task)
        if isinstance(source, AsyncGenerator):
            await source.aclose()


def _waiting(queue: "asyncio.Queue[T]") -> list[T]:
    return [queue.get_nowait() for _ in range(queue.qsize())]


def _sort_out(items: "list[T | _End]") -> "tuple[list[T], _End | None]":
    end = next((item for item in items if isinstance(item, _End)), None)
    return [item for item in items if not isinstance(item, _End)], end


class _End:
    def __init__(self, error: BaseException | None) -> None:
        self.error = error


async def _fill(queue: "asyncio.Queue[T | _End]", source: AsyncIterator[T]) -> None:
    end = _End(None)
    try:
        async for item in source:
            await queue.put(item)
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise  # the reader left
        end = _End(error)  # something inside the source was cancelled; the reader would wait for ever
    except Exception as error:  # noqa: BLE001  # handed to the reader, who raises it
        end = _End(error)
    await queue.put(end)


async def map_in_order(
    source: AsyncIterator[T], work: Callable[[T], Awaitable[ResultT]], at_once: int
) -> AsyncGenerator[ResultT, None]:
    """`work` of each item, up to `at_once` of them at the same time; the results in the order of the items."""
    tasks: deque[asyncio.Task[ResultT]] = deque()
    try:
        async for item in source:
            tasks.append(asyncio.create_task(_result(work(item))))
            while len(tasks) >= at_once or (tasks and tasks[0].done()):
                yield await tasks.popleft()
        while tasks:
            yield await tasks.popleft()
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            await wait_for_end(task)
        if isinstance(source, AsyncGenerator):
            await source.aclose()


async def _result(work: Awaitable[ResultT]) -> ResultT:
    return await work
