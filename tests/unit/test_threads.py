"""services/common/threads.py: no thread works on unseen."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from services.common.tasks import cancel_and_wait
from services.common.threads import EngineThreads, run_blocking
from tests.support.waiting import BOUND_S, wait_until


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


class Work:
    """Blocks its thread until it is told to stop."""

    def __init__(self) -> None:
        self.began = threading.Event()
        self.ended = threading.Event()

    def __call__(self, stop: threading.Event) -> str:
        self.began.set()
        assert stop.wait(BOUND_S)
        self.ended.set()
        return "stopped"


async def test_the_result_comes_back(executor: ThreadPoolExecutor) -> None:
    assert await run_blocking(executor, lambda stop: (stop.is_set(), threading.current_thread().name)) == (
        False,
        next(iter(executor._threads)).name,
    )


async def test_exceptions_come_back(executor: ThreadPoolExecutor) -> None:
    def work(stop: threading.Event) -> None:
        raise KeyError("engine")

    with pytest.raises(KeyError, match="engine"):
        await run_blocking(executor, work)


async def test_cancelled_it_stops_the_work_and_returns_only_when_the_work_has_ended(
    executor: ThreadPoolExecutor,
) -> None:
    work = Work()
    task = asyncio.create_task(run_blocking(executor, work))
    await wait_until(work.began.is_set, "the work")
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert work.ended.is_set()


async def test_cancelled_twice_it_still_waits_for_the_work(executor: ThreadPoolExecutor) -> None:
    may_end, began, ended = threading.Event(), threading.Event(), threading.Event()

    def work(stop: threading.Event) -> None:
        began.set()
        assert may_end.wait(BOUND_S)
        ended.set()

    task = asyncio.create_task(run_blocking(executor, work))
    await wait_until(began.is_set, "the work")
    for _ in range(2):
        task.cancel()
        for _ in range(10):  # turns of the loop, so that the cancellation arrives
            await asyncio.sleep(0)
    assert not task.done()
    may_end.set()
    await asyncio.wait([task])
    assert task.cancelled()
    assert ended.is_set()


async def test_cancelled_work_that_waits_for_its_turn_never_begins_and_delays_nobody(
    executor: ThreadPoolExecutor,
) -> None:
    ahead, queued = Work(), Work()
    running = asyncio.create_task(run_blocking(executor, ahead))
    await wait_until(ahead.began.is_set, "the work ahead")
    waiting = asyncio.create_task(run_blocking(executor, queued))
    await wait_until(lambda: executor._work_queue.qsize() > 0, "the queue")
    async with asyncio.timeout(BOUND_S / 2):  # the work ahead would last longer
        await cancel_and_wait(waiting)
    assert not ahead.ended.is_set()
    await cancel_and_wait(running)
    await run_blocking(executor, lambda stop: None)  # whatever was queued before has run now
    assert not queued.began.is_set()


# Threads that do not come back


class Hung:
    """Work that looks at nothing until it is freed."""

    def __init__(self) -> None:
        self.began = threading.Event()
        self.ended = threading.Event()
        self.free = threading.Event()

    def __call__(self, stop: threading.Event) -> None:
        self.began.set()
        assert self.free.wait(BOUND_S)
        self.ended.set()


@pytest.fixture
def hung() -> Iterator[Hung]:
    work = Hung()
    yield work
    work.free.set()


def _engine_threads(count: int = 1) -> EngineThreads:
    return EngineThreads(count, "deaf", grace_s=0.05, lost_after_s=0.1)


async def test_whoever_is_cancelled_goes_on_without_a_thread_that_does_not_come_back(hung: Hung) -> None:
    threads = _engine_threads()
    task = asyncio.create_task(threads.run(hung))
    await wait_until(hung.began.is_set, "the work")
    assert threads.stuck is None
    async with asyncio.timeout(BOUND_S):
        await cancel_and_wait(task)
    assert task.cancelled()
    assert not hung.ended.is_set()
    await wait_until(lambda: threads.stuck is not None, "the word of it")
    assert "a thread of deaf has not come back" in str(threads.stuck)
    hung.free.set()
    await wait_until(lambda: threads.stuck is None, "the thread's return")
    assert await threads.run(lambda stop: "works again") == "works again"
    threads.shutdown()


async def test_cancelled_twice_the_lost_thread_is_known_all_the_same(hung: Hung) -> None:
    threads = _engine_threads()
    task = asyncio.create_task(threads.run(hung))
    await wait_until(hung.began.is_set, "the work")
    for _ in range(2):
        task.cancel()
        for _ in range(10):
            await asyncio.sleep(0)
    await asyncio.wait([task])
    assert task.cancelled()
    await wait_until(lambda: threads.stuck is not None, "the word of it")


async def test_work_within_its_limit_is_waited_for_and_its_thread_not_taken_for_lost(hung: Hung) -> None:
    threads = _engine_threads()
    task = asyncio.create_task(threads.run(hung, limit_s=BOUND_S))
    await wait_until(hung.began.is_set, "the work")
    task.cancel()
    await asyncio.wait([task], timeout=0.3)  # far more than grace and all
    assert not task.done()
    assert threads.stuck is None
    hung.free.set()
    await asyncio.wait([task])
    assert task.cancelled()
    assert hung.ended.is_set()


async def test_a_thread_that_heeds_its_stop_is_waited_for_and_nothing_is_said() -> None:
    threads, work = EngineThreads(1, "obedient", grace_s=BOUND_S), Work()
    task = asyncio.create_task(threads.run(work))
    await wait_until(work.began.is_set, "the work")
    await cancel_and_wait(task)
    assert work.ended.is_set()
    assert threads.stuck is None


async def test_an_error_of_work_that_nobody_waits_for_any_more_is_reported_nowhere(
    hung: Hung, caplog: pytest.LogCaptureFixture
) -> None:
    threads = _engine_threads()

    def work(stop: threading.Event) -> None:
        hung(stop)
        raise KeyError("too late")

    task = asyncio.create_task(threads.run(work))
    await wait_until(hung.began.is_set, "the work")
    await cancel_and_wait(task)
    hung.free.set()
    threads.shutdown()  # waits for the thread
    await asyncio.sleep(0)
    assert caplog.records == []


async def test_a_deep_stack_is_for_one_thread_alone() -> None:
    before = threading.stack_size()
    threads = EngineThreads(1, "deep", stack_bytes=2**20)
    assert threading.stack_size() == before
    assert await threads.run(lambda _stop: threading.current_thread().name) == "deep_0"
    threads.shutdown(wait=True)
