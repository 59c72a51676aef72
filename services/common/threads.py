"""Blocking engines under asyncio: calls and iterators that run in a thread, and stop when nobody wants them.

Cancelling a coroutine does not stop the thread that works for it. So the work is given an event to look at, between
tokens or windows, and whoever is cancelled sets it and waits for the thread before going on: nothing runs on unseen.
"""

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Generator
from concurrent.futures import Executor
from typing import TypeVar

T = TypeVar("T")


async def run_blocking(executor: Executor, work: Callable[[threading.Event], T]) -> T:
    """Runs `work(stop)` in the executor. Cancelled, it sets `stop` and waits until the work has ended."""
    stop = threading.Event()
    future = asyncio.get_running_loop().run_in_executor(executor, work, stop)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        stop.set()
        await _ended(future)
        raise


async def iterate_blocking(
    executor: Executor, make: Callable[[threading.Event], Generator[T, None, None]]
) -> AsyncGenerator[T, None]:
    """Pulls a blocking generator from the executor, one item at a time, so it never runs ahead of its reader."""
    stop = threading.Event()
    loop = asyncio.get_running_loop()
    items = make(stop)
    pending: asyncio.Future[object] | None = None
    try:
        while True:
            pending = loop.run_in_executor(executor, next, items, _END)
            item = await asyncio.shield(pending)
            pending = None
            if item is _END:
                return
            yield item  # type: ignore[misc]  # not _END, so a T
    finally:
        # A generator that is still executing cannot be closed: wait for its step first.
        stop.set()
        if pending is not None:
            await _ended(pending)
        await _ended(loop.run_in_executor(executor, items.close))


_END = object()


async def _ended(future: "asyncio.Future[object] | asyncio.Future[T] | asyncio.Future[None]") -> None:
    """Waits for work that nobody wants any more, through further cancellations; its result does not matter."""
    again = False
    while not future.done():
        try:
            await asyncio.wait([future])
        except asyncio.CancelledError:
            again = True
    if not future.cancelled():
        future.exception()  # retrieved, so that asyncio does not report it
    if again:
        raise asyncio.CancelledError
