"""services/common/gpu_memory.py: how full the card is, and who has room there."""

import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from prometheus_client import CollectorRegistry

from services.common.gpu import GB
from services.common.gpu_memory import GpuMemory
from services.common.metrics import GpuMetrics
from tests.fakes.nvml import FakeNvml, card
from tests.support.waiting import wait_until

_CARD = card("RTX 3090", total_gb=20, used_gb=1)  # 80 % of it are 16 GB


class Bench:
    """The memory of one card, and what is told of it."""

    def __init__(self, nvml: FakeNvml, claimed_bytes: Callable[[], int] = lambda: 0) -> None:
        self.nvml = nvml
        self.registry = CollectorRegistry()
        self.memory = GpuMemory(nvml, _CARD, 80, GpuMetrics.create(self.registry, "stt"), claimed_bytes)

    def usage_percent(self) -> float | None:
        return self.registry.get_sample_value("gpu_memory_usage_percent", {"gpu_model": "RTX 3090"})

    def own_bytes(self) -> float | None:
        return self.registry.get_sample_value("stt_vram_usage_bytes")


@asynccontextmanager
async def _bench(nvml: FakeNvml, claimed_bytes: Callable[[], int] = lambda: 0) -> AsyncIterator[Bench]:
    bench = Bench(nvml, claimed_bytes)
    try:
        yield bench
    finally:
        nvml.wake()
        await bench.memory.close()


async def test_an_engine_has_room_up_to_the_limit_and_none_beyond() -> None:
    async with _bench(FakeNvml(_CARD)) as bench:
        obstacle = bench.memory.room_for(int(2.5 * GB))
        assert obstacle(False) is None  # by what was seen when the card was chosen
        for used_gb, loaded, has_room in [
            (13.5, False, True),
            (13.6, False, False),
            (13.6, True, True),  # it has its memory already
            (16, True, True),
            (16.1, True, False),
        ]:
            bench.nvml.use(used_gb)
            await bench.memory.look()
            assert (obstacle(loaded) is None) is has_room, (used_gb, loaded)


async def test_the_obstacle_says_how_much_is_in_use_by_whom_and_what_is_needed() -> None:
    async with _bench(FakeNvml(_CARD)) as bench:
        bench.nvml.use(17)
        await bench.memory.look()
        assert bench.memory.room_for(2 * GB)(True) == "17.0 of 20.0 GB of RTX 3090 are in use; the limit is 80 %"
        assert "it needs 2.0 GB" in str(bench.memory.room_for(2 * GB)(False))


async def test_the_usage_is_told() -> None:
    async with _bench(FakeNvml(_CARD, process_bytes=3 * GB)) as bench:
        bench.nvml.use(5)
        await bench.memory.look()
        assert bench.usage_percent() == 25
        assert bench.own_bytes() == 3 * GB


async def test_where_the_driver_does_not_know_the_process_what_the_engines_need_is_told() -> None:
    async with _bench(FakeNvml(_CARD), lambda: 4 * GB) as bench:
        await bench.memory.look()
        assert bench.own_bytes() == 4 * GB


async def test_a_driver_that_fails_is_no_obstacle_and_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    async with _bench(FakeNvml(_CARD)) as bench:
        obstacle = bench.memory.room_for(GB)
        bench.nvml.use(19)
        await bench.memory.look()
        assert obstacle(False) is not None
        bench.nvml.take_away()
        for _ in range(3):
            await bench.memory.look()
        assert obstacle(False) is None
        assert math.isnan(bench.usage_percent() or 0)
        assert [record.getMessage() for record in caplog.records] == [
            f"the memory of RTX 3090 cannot be seen: the card {_CARD.uuid} is gone"
        ]


async def test_a_wedged_driver_holds_nobody_up_and_is_asked_no_more_until_it_answers() -> None:
    async with _bench(FakeNvml(_CARD)) as bench:
        bench.nvml.hang()
        for _ in range(5):
            await bench.memory.look()
        assert bench.nvml.asked == 1
        bench.nvml.use(10)
        bench.nvml.wake()
        await wait_until(lambda: not bench.memory._is_looking, "the answer to the first question")
        await bench.memory.look()
        assert bench.usage_percent() == 50


async def test_closing_lets_the_driver_go() -> None:
    nvml = FakeNvml(_CARD)
    async with _bench(nvml):
        pass
    assert nvml.closed


async def test_closing_does_not_wait_for_a_wedged_driver() -> None:
    bench = Bench(FakeNvml(_CARD))
    bench.nvml.hang()
    await bench.memory.look()
    await bench.memory.close()
    assert not bench.nvml.closed
    bench.nvml.wake()
