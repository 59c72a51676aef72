"""The queue in front of a decoder: who goes first, who goes together, and what happens when it fails or hangs."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from prometheus_client import CollectorRegistry

from services.common.errors import EngineFailedError, LimitExceededError
from services.common.threads import EngineThreads
from services.stt.engine import Urgency
from services.stt.metrics import DecoderMetrics, WhisperMetrics
from services.stt.scheduler import Caller, Scheduler, SchedulerLimits, Wanted
from tests.support.waiting import wait_until

ALL_AT_ONCE = SchedulerLimits(batch_window_s=0)
ONE_BY_ONE = SchedulerLimits(batch=1, batch_window_s=0)
FINAL, EAGER, PARTIAL, RECORDING = Urgency.FINAL, Urgency.EAGER, Urgency.PARTIAL, Urgency.RECORDING


@dataclass
class GatedDecoder:
    """Answers in capitals, when the gate is open; keeps the batches it was given."""

    batches: list[list[str]] = field(default_factory=list)
    wanted: list[list[str]] = field(default_factory=list)  # of each batch, when the gate opened
    shuts_after_poison: bool = False
    gate: threading.Event = field(default_factory=threading.Event)

    def decode(self, works: Sequence[str], wanted: Wanted) -> list[str]:
        self.batches.append(list(works))
        self.gate.wait()
        self.wanted.append([work for index, work in enumerate(works) if wanted(index)])
        if "poison" in works:
            if self.shuts_after_poison:
                self.gate.clear()
            raise RuntimeError("poisoned")
        return [work.upper() for work in works]


@asynccontextmanager
async def scheduling(
    decoder: GatedDecoder,
    limits: SchedulerLimits = ALL_AT_ONCE,
    alike: Callable[[str], object] = lambda work: 0,
    limit_s: float = 60,
) -> AsyncIterator[Scheduler[str, str]]:
    metrics = DecoderMetrics("decoder", WhisperMetrics.create(CollectorRegistry()))
    with ThreadPoolExecutor(1) as threads:
        scheduler = Scheduler(decoder.decode, alike, lambda works: limit_s, threads, metrics, limits)
        try:
            yield scheduler
        finally:
            decoder.gate.set()
            await scheduler.close()


class Asking:
    """Requests that wait for a decoder which is busy with `first`."""

    def __init__(self, scheduler: Scheduler[str, str], decoder: GatedDecoder) -> None:
        self.scheduler = scheduler
        self.decoder = decoder
        self.tasks: list[asyncio.Task[str]] = []

    async def busy(self) -> None:
        self.ask("first", FINAL)
        await wait_until(lambda: bool(self.decoder.batches), "the decoder to work")

    def ask(self, work: str, urgency: Urgency, caller: Caller | None = None) -> "asyncio.Task[str]":
        task = asyncio.create_task(self.scheduler.submit(work, urgency, caller or self.scheduler.join()))
        self.tasks.append(task)
        return task

    async def answers(self) -> list[str | BaseException]:
        await asyncio.sleep(0)  # every request is in the queue
        self.decoder.gate.set()
        return await asyncio.gather(*self.tasks, return_exceptions=True)


async def test_the_urgent_go_first() -> None:
    decoder = GatedDecoder()
    async with scheduling(decoder, ONE_BY_ONE) as scheduler:
        asking = Asking(scheduler, decoder)
        await asking.busy()
        for work, urgency in [("r", RECORDING), ("p", PARTIAL), ("e", EAGER), ("f", FINAL)]:
            asking.ask(work, urgency)
        assert await asking.answers() == ["FIRST", "R", "P", "E", "F"]
    assert decoder.batches == [["first"], ["f"], ["e"], ["p"], ["r"]]


async def test_among_equals_everybody_has_a_turn() -> None:
    decoder = GatedDecoder()
    async with scheduling(decoder, ONE_BY_ONE) as scheduler:
        asking = Asking(scheduler, decoder)
        await asking.busy()
        greedy, modest = scheduler.join(), scheduler.join()
        for work in ("g1", "g2", "g3"):
            asking.ask(work, RECORDING, greedy)
        asking.ask("m1", RECORDING, modest)
        await asking.answers()
    assert decoder.batches[1:] == [["g1"], ["m1"], ["g2"], ["g3"]]


async def test_finals_and_eager_transcripts_share_a_batch_and_nothing_slower_joins_them() -> None:
    decoder = GatedDecoder()
    async with scheduling(decoder) as scheduler:
        asking = Asking(scheduler, decoder)
        await asking.busy()
        for work, urgency in [("p1", PARTIAL), ("e1", EAGER), ("f1", FINAL), ("p2", PARTIAL), ("r1", RECORDING)]:
            asking.ask(work, urgency)
        assert await asking.answers() == ["FIRST", "P1", "E1", "F1", "P2", "R1"]
    assert decoder.batches[1:] == [["f1", "e1"], ["p1", "p2"], ["r1"]]


async def test_a_batch_holds_what_is_alike_and_no_more_than_its_limit() -> None:
    decoder = GatedDecoder()
    async with scheduling(decoder, SchedulerLimits(batch=2, batch_window_s=0), alike=len) as scheduler:
        asking = Asking(scheduler, decoder)
        await asking.busy()
        for work in ("aa", "b", "cc", "dd"):
            asking.ask(work, FINAL)
        await asking.answers()
    assert decoder.batches[1:] == [["aa", "cc"], ["b"], ["dd"]]


async def test_who_is_cancelled_leaves_the_queue() -> None:
    decoder = GatedDecoder()
    async with scheduling(decoder) as scheduler:
        asking = Asking(scheduler, decoder)
        await asking.busy()
        unwanted = asking.ask("unwanted", FINAL)
        asking.ask("wanted", FINAL)
        await asyncio.sleep(0)
        unwanted.cancel()
        first, gone, wanted = await asking.answers()
    assert (first, wanted) == ("FIRST", "WANTED")
    assert isinstance(gone, asyncio.CancelledError)
    assert decoder.batches[1:] == [["wanted"]]


async def test_one_that_is_poisoned_does_not_fail_the_others() -> None:
    decoder = GatedDecoder()
    async with scheduling(decoder) as scheduler:
        asking = Asking(scheduler, decoder)
        await asking.busy()
        for work in ("one", "poison", "two"):
            asking.ask(work, FINAL)
        _, one, poisoned, two = await asking.answers()
    assert (one, two) == ("ONE", "TWO")
    assert isinstance(poisoned, EngineFailedError)


async def test_a_full_queue_refuses() -> None:
    decoder = GatedDecoder()
    async with scheduling(decoder, SchedulerLimits(queued=1, batch_window_s=0)) as scheduler:
        asking = Asking(scheduler, decoder)
        await asking.busy()
        asking.ask("waits", FINAL)
        asking.ask("too many", FINAL)
        _, waited, refused = await asking.answers()
    assert waited == "WAITS"
    assert isinstance(refused, LimitExceededError)


async def test_a_partial_that_waited_too_long_is_dropped() -> None:
    decoder = GatedDecoder()
    async with scheduling(decoder, SchedulerLimits(batch_window_s=0, partial_patience_s=0)) as scheduler:
        asking = Asking(scheduler, decoder)
        await asking.busy()
        asking.ask("stale", PARTIAL)
        asking.ask("late but kept", RECORDING)
        _, stale, kept = await asking.answers()
    assert isinstance(stale, LimitExceededError)
    assert kept == "LATE BUT KEPT"


async def test_when_it_closes_whoever_waits_is_told() -> None:
    decoder = GatedDecoder()
    async with scheduling(decoder) as scheduler:
        asking = Asking(scheduler, decoder)
        await asking.busy()
        asking.ask("waiting", FINAL)
        await asyncio.sleep(0)
        closing = asyncio.create_task(scheduler.close())
        in_the_middle, waiting = await asking.answers()
        await closing
        with pytest.raises(EngineFailedError):
            await scheduler.submit("too late", FINAL, scheduler.join())
    assert isinstance(in_the_middle, EngineFailedError)
    assert isinstance(waiting, EngineFailedError)


async def test_a_decoder_that_hangs_fails_its_callers_and_is_known_to_hang() -> None:
    decoder = GatedDecoder()
    metrics = DecoderMetrics("decoder", WhisperMetrics.create(CollectorRegistry()))
    threads = EngineThreads(1, "decoder", grace_s=0.02, lost_after_s=0.04)
    scheduler: Scheduler[str, str] = Scheduler(
        decoder.decode, lambda work: 0, lambda works: 0.05, threads, metrics, ALL_AT_ONCE
    )
    with pytest.raises(EngineFailedError):
        await scheduler.submit("hangs", FINAL, scheduler.join())
    await wait_until(lambda: threads.stuck is not None, "the thread to be taken for lost")
    with pytest.raises(EngineFailedError):
        await scheduler.submit("comes too late", FINAL, scheduler.join())
    await scheduler.close()
    decoder.gate.set()
    threads.shutdown()


async def test_who_leaves_in_the_middle_of_a_batch_is_not_worked_for_any_more() -> None:
    decoder = GatedDecoder()
    async with scheduling(decoder) as scheduler:
        asking = Asking(scheduler, decoder)
        await asking.busy()
        asking.tasks[0].cancel()
        await asyncio.wait(asking.tasks)
        await asking.answers()
        await wait_until(lambda: bool(decoder.wanted), "the batch to be done")
    assert decoder.wanted == [[]]


async def test_recordings_that_wait_do_not_keep_a_final_out() -> None:
    decoder = GatedDecoder()
    async with scheduling(decoder, SchedulerLimits(queued=2, batch_window_s=0)) as scheduler:
        asking = Asking(scheduler, decoder)
        await asking.busy()
        for work, urgency in [("r1", RECORDING), ("r2", RECORDING), ("r3", RECORDING), ("final", FINAL)]:
            asking.ask(work, urgency)
        _, _, _, too_many, final = await asking.answers()
    assert isinstance(too_many, LimitExceededError)
    assert final == "FINAL"


async def test_when_it_closes_while_it_tries_one_by_one_everybody_is_told() -> None:
    decoder = GatedDecoder(shuts_after_poison=True)
    async with scheduling(decoder) as scheduler:
        asking = Asking(scheduler, decoder)
        await asking.busy()
        for work in ("one", "poison", "two"):
            asking.ask(work, FINAL)
        await asyncio.sleep(0)
        decoder.gate.set()
        await wait_until(lambda: len(decoder.batches) > 2, "the first of them to be tried alone")
        closing = asyncio.create_task(scheduler.close())
        first, *others = await asking.answers()
        await closing
    assert first == "FIRST"
    assert all(isinstance(answer, EngineFailedError) for answer in others)


async def test_closing_in_the_middle_of_a_decoding_that_is_in_time_is_no_hang() -> None:
    decoder = GatedDecoder()
    metrics = DecoderMetrics("decoder", WhisperMetrics.create(CollectorRegistry()))
    threads = EngineThreads(1, "decoder", grace_s=0.01, lost_after_s=0.02)
    scheduler: Scheduler[str, str] = Scheduler(
        decoder.decode, lambda work: 0, lambda works: 60, threads, metrics, ALL_AT_ONCE
    )
    asking = Asking(scheduler, decoder)
    await asking.busy()
    closing = asyncio.create_task(scheduler.close())
    await asyncio.wait([closing], timeout=0.2)
    assert threads.stuck is None
    await asking.answers()
    await closing
    threads.shutdown()


async def test_the_gauge_tells_who_waits() -> None:
    decoder, registry = GatedDecoder(), CollectorRegistry()
    metrics = DecoderMetrics("decoder", WhisperMetrics.create(registry))
    with ThreadPoolExecutor(1) as threads:
        scheduler: Scheduler[str, str] = Scheduler(
            decoder.decode, lambda work: 0, lambda works: 60, threads, metrics, ALL_AT_ONCE
        )
        asking = Asking(scheduler, decoder)
        await asking.busy()
        unwanted = asking.ask("unwanted", FINAL)
        await asyncio.sleep(0)
        assert registry.get_sample_value("stt_queue_depth", {"backend": "decoder"}) == 1
        unwanted.cancel()
        await asyncio.wait([unwanted])
        assert registry.get_sample_value("stt_queue_depth", {"backend": "decoder"}) == 0
        await asking.answers()
        await scheduler.close()
