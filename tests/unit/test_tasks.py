"""services/common/tasks.py."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from services.common.tasks import cancel_and_wait, read_ahead, read_batches
from tests.support.waiting import wait_until


class Source:
    """Numbers from 0 on, and what became of them."""

    def __init__(self, count: int, error: BaseException | None = None) -> None:
        self.given = 0
        self.closed = False
        self._count = count
        self._error = error

    async def __call__(self) -> AsyncGenerator[int, None]:
        try:
            while self.given < self._count:
                self.given += 1
                yield self.given - 1
            if self._error is not None:
                raise self._error
        finally:
            await asyncio.sleep(0)  # cleaning up takes a turn of the loop
            self.closed = True


async def _settle() -> None:
    for _ in range(50):  # turns of the loop: whoever can go on has gone on
        await asyncio.sleep(0)


async def test_all_items_in_order() -> None:
    assert [item async for item in read_ahead(Source(100)(), limit=3)] == list(range(100))


async def test_the_sources_error_comes_after_its_items() -> None:
    items = []
    with pytest.raises(KeyError, match="broken"):  # noqa: PT012  # the items before the error matter too
        async for item in read_ahead(Source(5, KeyError("broken"))(), limit=3):
            items.append(item)  # noqa: PERF401
    assert items == list(range(5))


async def test_a_source_that_is_cancelled_inside_does_not_leave_its_reader_waiting() -> None:
    items = []

    async def read() -> None:
        async for item in read_ahead(Source(2, asyncio.CancelledError())(), limit=3):
            items.append(item)  # noqa: PERF401

    reader = asyncio.create_task(read())
    await wait_until(reader.done, "the end of the reader")
    assert reader.cancelled()
    assert items == [0, 1]


async def test_it_reads_ahead_but_not_beyond_the_limit() -> None:
    source = Source(100)
    async with aclosing(read_ahead(source(), limit=4)) as items:
        assert await anext(items) == 0
        await _settle()
        assert 4 <= source.given <= 10  # a batch of four, four waiting, one in hand, one taken


async def test_batches_hold_all_that_came_meanwhile() -> None:
    source = Source(100)
    async with aclosing(read_batches(source(), limit=4)) as batches:
        first = await anext(batches)
        await _settle()
        second = await anext(batches)
        assert len(second) > 1
        assert first + second == list(range(len(first) + len(second)))


async def test_batches_give_everything_and_the_error_last() -> None:
    items: list[int] = []
    with pytest.raises(KeyError, match="broken"):  # noqa: PT012
        async for batch in read_batches(Source(10, KeyError("broken"))(), limit=4):
            assert batch
            items += batch
    assert items == list(range(10))


async def test_closing_it_ends_a_source_that_waits_for_room() -> None:
    source = Source(100)
    async with aclosing(read_ahead(source(), limit=2)) as items:
        await anext(items)
        await _settle()
    assert source.closed


async def test_closing_it_ends_a_source_that_waits_for_more() -> None:
    began, cancelled = asyncio.Event(), asyncio.Event()

    async def silent() -> AsyncGenerator[int, None]:
        yield 1
        try:
            began.set()
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    async with aclosing(read_ahead(silent(), limit=2)) as items:
        await anext(items)
        await wait_until(began.is_set, "the source")
    assert cancelled.is_set()


async def test_cancel_and_wait_waits_for_the_clean_up() -> None:
    began, cleaned = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        try:
            began.set()
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleaned.set()

    task = asyncio.create_task(work())
    await began.wait()
    await cancel_and_wait(task)
    assert task.cancelled()
    assert cleaned.is_set()


async def test_cancel_and_wait_raises_what_the_clean_up_raises() -> None:
    began = asyncio.Event()

    async def work() -> None:
        try:
            began.set()
            await asyncio.Event().wait()
        finally:
            raise KeyError("clean-up")

    task = asyncio.create_task(work())
    await began.wait()
    with pytest.raises(KeyError, match="clean-up"):
        await cancel_and_wait(task)
