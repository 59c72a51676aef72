"""Blocking engines under asyncio: calls and iterators that run in a thread, and stop when nobody wants them.

Cancelling a coroutine does not stop the thread that works for it. So the work is given an event to look at, between
tokens or windows, and whoever is cancelled sets it and waits for the thread before going on: nothing runs on unseen.
"""

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Generator
from concurrent.futures import Executor
from typing import TypeVar

from services.common.tasks import wait_for_end

T = TypeVar("T")


async def run_blocking(executor: Executor, work: Callable[[threading.Event], T]) -> T:
    """Runs `work(stop)` in the executor. Cancelled, it sets `stop` and waits until the work has ended."""
    stop = threading.Event()
    job = executor.submit(work, stop)
    future = asyncio.wrap_future(job)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        stop.set()
        if not job.cancel():  # it left the executor's queue and runs
            await wait_for_end(future)
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
        try:
            if pending is not None:
                await wait_for_end(pending)
        finally:
            await wait_for_end(loop.run_in_executor(executor, items.close))


_END = object()
