"""Blocking engines under asyncio: calls that run in a thread, and stop when nobody wants them.

Cancelling a coroutine does not stop the thread that works for it. So the work is given an event to look at, between
tokens or windows, and whoever is cancelled sets it and waits for the thread before going on: nothing runs on unseen.
In EngineThreads that wait has an end. A thread that does not come back is left to itself, and `stuck` tells of it, for
only a new process can mend that.
"""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any, Generic, ParamSpec, TypeVar

from services.common.tasks import wait_for_end

T = TypeVar("T")
P = ParamSpec("P")
_GRACE_S = 2.0
_LOST_AFTER_S = 4.0


class EngineThreads(Executor):
    """The threads of one engine. Whoever is cancelled waits `grace_s` for his thread, then goes on without it.

    A thread that is late by `lost_after_s` is taken for lost. It is more, because that costs a new process.
    """

    def __init__(
        self,
        count: int,
        name: str,
        grace_s: float = _GRACE_S,
        lost_after_s: float = _LOST_AFTER_S,
        stack_bytes: int = 0,
    ) -> None:
        """`stack_bytes` for a library that recurses deeply, with one thread alone; 0: what threads have by default."""
        self._pool = ThreadPoolExecutor(count, thread_name_prefix=name)
        if stack_bytes:
            usual = threading.stack_size(stack_bytes)
            try:
                self._pool.submit(lambda: None)  # starts the thread now
            finally:
                threading.stack_size(usual)
        self._name = name
        self._grace_s = grace_s
        self._lost_after_s = lost_after_s
        self._left: dict[Future[Any], _Work[Any]] = {}  # those that were not waited for, as long as they last

    @property
    def stuck(self) -> str | None:
        """Why a thread must be taken for lost: work was told to stop, is beyond its limit, and does not come back."""
        for work in list(self._left.values()):
            if (late_s := work.late_s()) > self._lost_after_s:
                return f"a thread of {self._name} has not come back for {late_s:.1f} s"
        return None

    async def run(self, work: Callable[[threading.Event], T], limit_s: float = 0.0) -> T:
        """As `run_blocking`."""
        return await run_blocking(self, work, limit_s)

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """As any executor. What is run otherwise than by this file's functions is not watched."""
        return self._pool.submit(fn, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """As any executor. Never with `wait` where a thread may be stuck."""
        self._pool.shutdown(wait, cancel_futures=cancel_futures)

    async def part_with(self, job: "Future[Any]", ended: "asyncio.Future[Any]", work: "_Work[Any]") -> None:
        """Waits for work that was told to stop, but not for ever; `ended` is the job's future in the loop."""
        work.told_s = time.monotonic()
        ended.add_done_callback(_retrieve)
        try:
            patience_s = self._grace_s - work.late_s()
            await wait_for_end(asyncio.create_task(asyncio.wait([ended], timeout=patience_s)))
        finally:
            if not ended.done():
                self._left[job] = work
                job.add_done_callback(lambda _job: self._left.pop(job, None))
                if job.running():
                    ended.cancel()  # the loop may be closed when the job ends; now nothing is called there


class _Work(Generic[T]):
    """What a thread is to do, and the times by which to tell whether it is stuck."""

    def __init__(self, run: Callable[[], T], limit_s: float = 0.0) -> None:
        self.told_s: float | None = None  # to stop
        self._began_s: float | None = None
        self._limit_s = limit_s
        self._run = run

    def __call__(self) -> T:
        self._began_s = time.monotonic()
        return self._run()

    def late_s(self) -> float:
        """How long ago it should have come back: when it was told to stop, or at its limit if that is later.

        Negative before that.
        """
        if self.told_s is None or self._began_s is None:
            return 0.0
        return time.monotonic() - max(self.told_s, self._began_s + self._limit_s)


async def run_blocking(executor: Executor, work: Callable[[threading.Event], T], limit_s: float = 0.0) -> T:
    """Runs `work(stop)` in the executor. Cancelled, it sets `stop` and waits until the work has ended.

    `limit_s` is what work may take that does not look at `stop`: so long EngineThreads have patience with it.
    """
    stop = threading.Event()
    return await _run(executor, _Work(lambda: work(stop), limit_s), stop)


async def _run(executor: Executor, work: _Work[T], stop: threading.Event) -> T:
    job = executor.submit(work)
    ended = asyncio.wrap_future(job)
    try:
        return await asyncio.shield(ended)
    except asyncio.CancelledError:
        stop.set()
        if not job.cancel():  # it left the executor's queue and runs
            await _wait(executor, job, ended, work)
        raise


def _retrieve(ended: "asyncio.Future[Any]") -> None:
    if not ended.cancelled():
        ended.exception()  # nobody reads it, and asyncio would report that


async def _wait(executor: Executor, job: Future[T], ended: asyncio.Future[T], work: _Work[T]) -> None:
    if isinstance(executor, EngineThreads):
        await executor.part_with(job, ended, work)
    else:
        await wait_for_end(ended)
