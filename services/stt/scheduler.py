"""One decoder for many callers: the urgent first, everybody in turn, several at once where that is cheaper.

Nothing here knows what is decoded. A final goes before an eager transcript, that before a partial, that before a
recording; among equals the caller goes first whose last turn is longest ago. Who waits long climbs a step at a time, so
nobody starves; a partial that waits too long is dropped instead, for its caller has said more since.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from services.common.errors import CallError, EngineFailedError, LimitExceededError
from services.common.tasks import cancel_and_wait
from services.common.threads import run_blocking
from services.stt.engine import Urgency
from services.stt.metrics import DecoderMetrics

WorkT = TypeVar("WorkT")
ResultT = TypeVar("ResultT")
Wanted = Callable[[int], bool]
_CLIMB_AFTER_S = 5.0


@dataclass(frozen=True)
class SchedulerLimits:
    """How much waits, and how much is decoded at once."""

    queued: int = 64
    batch: int = 8
    batch_window_s: float = 0.005  # how long a free decoder waits for others to join, where there are any
    partial_patience_s: float = 1.0  # how long a partial is worth waiting for


@dataclass(eq=False)
class Caller:
    """Somebody who asks again and again: a session."""

    last_turn: int = 0


@dataclass(eq=False)
class _Job(Generic[WorkT, ResultT]):
    work: WorkT
    urgency: Urgency
    caller: Caller
    alike: Hashable
    done: "asyncio.Future[ResultT]"
    since_s: float = field(default_factory=time.monotonic)

    def rank(self, now_s: float) -> tuple[int, int, float]:
        """The least goes first."""
        climbed = int((now_s - self.since_s) / _CLIMB_AFTER_S)
        return max(Urgency.FINAL, self.urgency - climbed), self.caller.last_turn, self.since_s


class Scheduler(Generic[WorkT, ResultT]):
    """The queue in front of one decoder, and the task that empties it."""

    def __init__(
        self,
        decode: Callable[[Sequence[WorkT], Wanted], Sequence[ResultT]],
        alike: Callable[[WorkT], Hashable],
        limit_s: Callable[[Sequence[WorkT]], float],
        threads: Executor,
        metrics: DecoderMetrics,
        limits: SchedulerLimits = SchedulerLimits(),
    ) -> None:
        """`decode` blocks, and is told of each work by its index whether anybody still waits for it.

        Works with equal `alike` may share a batch; one that takes `limit_s` is given up.
        """
        self._decode = decode
        self._alike = alike
        self._limit_s = limit_s
        self._threads = threads
        self._metrics = metrics
        self._limits = limits
        self._queue: list[_Job[WorkT, ResultT]] = []
        self._callers: set[Caller] = set()
        self._turn = 0
        self._work_came = asyncio.Event()
        self._task = asyncio.create_task(self._run(), name="decoder")

    def join(self) -> Caller:
        """Somebody who will ask."""
        caller = Caller(self._turn)
        self._callers.add(caller)
        return caller

    def leave(self, caller: Caller) -> None:
        """Somebody who will not ask any more."""
        self._callers.discard(caller)

    async def submit(self, work: WorkT, urgency: Urgency, caller: Caller) -> ResultT:
        """The result, when its turn has come. Cancelled, it leaves the queue."""
        if self._task.done():
            raise _closed()
        if sum(job.urgency <= urgency for job in self._queue) >= self._limits.queued:
            raise LimitExceededError("the decoder has too much to do", reason="DECODER_BUSY")
        job = _Job(work, urgency, caller, self._alike(work), asyncio.get_running_loop().create_future())
        self._queue.append(job)
        self._work_came.set()
        self._metrics.queued(len(self._queue))
        try:
            result: ResultT = await job.done
            return result
        finally:
            self._take_out(job)

    async def close(self) -> None:
        """Ends the task; whoever waits is told."""
        await cancel_and_wait(self._task)
        _fail_all(self._queue, _closed())

    async def _run(self) -> None:
        while True:
            await self._wait_for_work()
            if batch := self._next_batch():
                await self._serve(batch)

    async def _wait_for_work(self) -> None:
        if not self._queue:
            self._work_came.clear()
            await self._work_came.wait()
            if len(self._callers) > 1 and self._limits.batch > 1:
                await asyncio.sleep(self._limits.batch_window_s)

    def _next_batch(self) -> list[_Job[WorkT, ResultT]]:
        """The most urgent job, and what may go with it at no cost to it."""
        now_s = time.monotonic()
        self._drop_stale_partials(now_s)
        waiting = sorted(self._queue, key=lambda job: job.rank(now_s))
        if not waiting:
            return []
        first = waiting[0]
        batch = [job for job in waiting if _may_join(job, first)][: self._limits.batch]
        self._turn += 1
        for job in batch:
            self._take_out(job)
            job.caller.last_turn = self._turn
            self._metrics.taken(job.urgency, now_s - job.since_s)
        self._metrics.batched(len(batch))
        return batch

    def _drop_stale_partials(self, now_s: float) -> None:
        for job in list(self._queue):
            if job.urgency is Urgency.PARTIAL and now_s - job.since_s > self._limits.partial_patience_s:
                self._take_out(job)
                _fail_all([job], LimitExceededError("the decoder has no time for partials", reason="DECODER_BUSY"))

    def _take_out(self, job: _Job[WorkT, ResultT]) -> None:
        if job in self._queue:
            self._queue.remove(job)
            self._metrics.queued(len(self._queue))

    async def _serve(self, batch: Sequence[_Job[WorkT, ResultT]]) -> None:
        works = [job.work for job in batch]
        limit_s = self._limit_s(works)

        def decode(stop: threading.Event) -> Sequence[ResultT]:
            return self._decode(works, lambda index: not stop.is_set() and not batch[index].done.done())

        try:
            async with asyncio.timeout(limit_s):
                results = await run_blocking(self._threads, decode, limit_s)
        except asyncio.CancelledError:
            _fail_all(batch, _closed())
            raise
        except Exception as error:  # noqa: BLE001  # it is their callers' error, not this task's
            await self._serve_failed(batch, error)
            return
        for job, result in zip(batch, results, strict=True):
            if not job.done.done():
                job.done.set_result(result)

    async def _serve_failed(self, batch: Sequence[_Job[WorkT, ResultT]], error: Exception) -> None:
        """Of several that failed together each is tried alone: one that is poisoned must not fail the others."""
        if len(batch) > 1 and not isinstance(error, TimeoutError):
            try:
                for job in batch:
                    if not job.done.done():
                        await self._serve([job])
            except asyncio.CancelledError:
                _fail_all(batch, _closed())
                raise
            return
        _fail_all(batch, error if isinstance(error, CallError) else EngineFailedError(f"the decoder failed: {error!r}"))


def _may_join(job: "_Job[WorkT, ResultT]", first: "_Job[WorkT, ResultT]") -> bool:
    """Somebody waits for finals and eager transcripts alike; nothing less urgent may make them slower."""
    both_live = job.urgency <= Urgency.EAGER and first.urgency <= Urgency.EAGER
    return job.alike == first.alike and (job.urgency == first.urgency or both_live)


def _fail_all(jobs: "Sequence[_Job[WorkT, ResultT]]", error: Exception) -> None:
    for job in jobs:
        if not job.done.done():
            job.done.set_exception(error)


def _closed() -> EngineFailedError:
    return EngineFailedError("the decoder is closed")
