"""services/orchestrator/replicas.py and what it is made of: who takes a call, and what failures come to."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Literal

import grpc
import pytest
from prometheus_client import CollectorRegistry

from services.common import calls
from services.common.errors import (
    CallAbortedError,
    CallError,
    DeadlineError,
    EngineFailedError,
    InternalError,
    InvalidInputError,
    LimitExceededError,
    NotFoundError,
    OutOfRangeError,
    RemoteError,
    UnauthenticatedError,
    UnavailableError,
    UnsupportedError,
    UnusableAnswerError,
)
from services.common.tasks import cancel_and_wait
from services.orchestrator.patience import Patience
from services.orchestrator.ports import (
    EarsEvent,
    EarsReady,
    Line,
    ReplyEnd,
    Speaker,
    SpokenAudio,
    Stage,
    Voice,
    WrittenText,
)
from services.orchestrator.replica import ClientT, Replica, ReplicaMetrics
from services.orchestrator.replicas import Replicas
from services.orchestrator.replicated import ReplicatedEars, ReplicatedMind, ReplicatedMouth
from services.orchestrator.text_flow import TextFlow
from tests.fakes.clock import FakeClock
from tests.support.waiting import BOUND_S, wait_until

HANGS = "hangs"
BREAKS = EngineFailedError("broken")
LOST = RemoteError(grpc.StatusCode.UNAVAILABLE, "tts does not answer", reason="CONNECTION_LOST", retryable=True)
LONG_S = 60.0
VOICE = Voice("", "en", 16_000)


@dataclass
class Client:
    """Answers each call by the next plan, the last one again and again: results, then perhaps a failure, or silence."""

    plans: list[Sequence[str | CallError]] = field(default_factory=lambda: [["fine"]])
    asked: int = 0
    ended: int = 0

    async def answer(self) -> AsyncGenerator[str, None]:
        plan = self.plans[min(self.asked, len(self.plans) - 1)]
        self.asked += 1
        try:
            for step in plan:
                if isinstance(step, CallError):
                    raise step
                if step is HANGS:
                    await asyncio.Event().wait()
                yield step
        finally:
            self.ended += 1


class Stand:
    """Replicas a, b, c … of a stage, all of which serve, over scripted clients and a clock that a test sets."""

    def __init__(self, *clients: Client, order: Literal["in_order", "round_robin"] = "in_order") -> None:
        self.clients = clients
        self.clock = FakeClock()
        self.registry = CollectorRegistry()
        metrics = ReplicaMetrics.create(self.registry)
        names = "abc"[: len(clients)]
        self.replicas = [
            Replica(Stage.TTS, name, client, metrics, self.clock) for name, client in zip(names, clients, strict=True)
        ]
        for replica in self.replicas:
            replica.tell_health(serves=True)
        self.group = Replicas(Stage.TTS, self.replicas, order)

    def stream(self, limit_s: float = LONG_S) -> AsyncGenerator[str, None]:
        patience = Patience(Stage.TTS, limit_s)
        patience.start()
        return self.group.stream(Client.answer, patience)

    async def call(self, limit_s: float = LONG_S) -> list[str]:
        return [result async for result in self.stream(limit_s)]

    async def fail(self, times: int = 1) -> CallError:
        """So many calls, of which none gives anything; the last one's error."""
        for _ in range(times):
            with pytest.raises(CallError) as caught:
                await self.call()
        return caught.value

    @property
    def asked(self) -> list[int]:
        return [client.asked for client in self.clients]

    def metric(self, name: str, address: str = "a") -> float | None:
        return self.registry.get_sample_value(name, {"stage": "tts", "address": address})

    @property
    def failures(self) -> float | None:
        return self.metric("pipeline_replica_failures_total")

    @property
    def is_open(self) -> float | None:
        return self.metric("pipeline_replica_breaker_open")


# Who is asked


async def test_in_order_the_first_takes_every_call() -> None:
    stand = Stand(Client(), Client())
    for _ in range(3):
        assert await stand.call() == ["fine"]
    assert stand.asked == [3, 0]


async def test_round_robin_each_takes_its_turn() -> None:
    stand = Stand(Client(), Client(), Client(), order="round_robin")
    for _ in range(6):
        await stand.call()
    assert stand.asked == [2, 2, 2]


async def test_one_that_does_not_serve_comes_last_but_comes() -> None:
    stand = Stand(Client(), Client([[BREAKS], ["fine"]]))
    stand.replicas[0].tell_health(serves=False)
    assert await stand.call() == ["fine"]
    assert stand.asked == [1, 1]  # the second was asked first, and failed


async def test_one_that_failed_comes_last_for_a_while() -> None:
    stand = Stand(Client([[BREAKS], ["first"]]), Client([["second"]]))
    assert await stand.call() == ["second"]
    assert await stand.call() == ["second"]
    assert stand.asked == [1, 2]
    stand.clock.advance(5)
    assert await stand.call() == ["first"]


# Retries


@pytest.mark.parametrize(
    "failure",
    [
        BREAKS,
        LOST,
        InternalError("a bug"),
        UnavailableError("no engine"),
        DeadlineError("slow"),
        CallAbortedError("cancelled inside"),
        RemoteError(grpc.StatusCode.UNKNOWN, "odd", reason="UNKNOWN", retryable=False),
        RemoteError(grpc.StatusCode.CANCELLED, "gone", reason="CANCELLED", retryable=False),
    ],
    ids=lambda failure: failure.detailed_reason,
)
async def test_the_next_one_mends_a_failure_before_the_first_result(failure: CallError) -> None:
    stand = Stand(Client([[failure]]), Client())
    assert await stand.call() == ["fine"]
    assert stand.asked == [1, 1]
    assert stand.failures == 1


async def test_one_alone_is_tried_twice() -> None:
    stand = Stand(Client([[BREAKS], ["fine"]]))
    assert await stand.call() == ["fine"]
    assert stand.asked == [2]


async def test_there_is_one_retry_and_no_more() -> None:
    stand = Stand(Client([[BREAKS]]), Client([[LOST]]), Client())
    assert await stand.fail() is LOST
    assert stand.asked == [1, 1, 0]


async def test_after_the_first_result_a_failure_is_raised() -> None:
    stand = Stand(Client([["one", "two", BREAKS]]), Client())
    async with aclosing(stand.stream()) as results:
        assert [await anext(results), await anext(results)] == ["one", "two"]
        with pytest.raises(EngineFailedError):
            await anext(results)
    assert stand.asked == [1, 0]
    assert stand.failures == 1


@pytest.mark.parametrize(
    "refusal",
    [
        InvalidInputError("voice", "wrong"),
        UnsupportedError("nobody can"),
        NotFoundError("no such voice"),
        OutOfRangeError("too long"),
        UnauthenticatedError("no token"),
    ],
    ids=lambda refusal: refusal.status.name,
)
async def test_the_callers_affair_is_raised_at_once_and_tells_nothing_of_the_replica(refusal: CallError) -> None:
    stand = Stand(Client([[refusal]]), Client())
    assert await stand.fail(4) is refusal
    assert stand.asked == [4, 0]
    assert (stand.failures, stand.is_open) == (0, 0)


@pytest.mark.parametrize(
    "failure",
    [
        LimitExceededError("full"),
        UnusableAnswerError("nonsense"),
        UnavailableError("going down", reason="DRAINING"),
    ],
    ids=lambda failure: failure.detailed_reason,
)
async def test_one_that_cannot_now_passes_the_call_on_and_is_none_the_worse(failure: CallError) -> None:
    stand = Stand(Client([[failure]]), Client())
    for _ in range(4):
        assert await stand.call() == ["fine"]
    assert stand.asked == [4, 4]
    assert (stand.failures, stand.is_open) == (0, 0)


async def test_one_alone_that_is_full_is_not_pressed() -> None:
    stand = Stand(Client([[LimitExceededError("full")]]))
    assert isinstance(await stand.fail(), LimitExceededError)
    assert stand.asked == [1]


async def test_whoever_reads_no_further_ends_the_call() -> None:
    client = Client([["one", HANGS]])
    stand = Stand(client)
    async with aclosing(stand.stream()) as results:
        assert await anext(results) == "one"
    assert client.ended == 1
    assert stand.failures == 0


# Breakers


async def test_three_failures_open_the_breaker_and_the_call_fails_at_once() -> None:
    stand = Stand(Client([[BREAKS]]))
    await stand.fail(2)
    assert stand.asked == [3]  # the fourth try did not pass any more
    assert (stand.failures, stand.is_open) == (3, 1)
    error = await stand.fail()
    assert isinstance(error, UnavailableError)
    assert error.detailed_reason == "BREAKER_OPEN"
    assert "tts" in error.message
    assert stand.asked == [3]


async def test_one_that_is_left_alone_is_not_asked_while_another_works() -> None:
    stand = Stand(Client([[BREAKS]]), Client())
    for _ in range(3):
        await stand.call()
        stand.clock.advance(5)
    assert stand.asked == [3, 3]
    await stand.call()
    assert stand.asked == [3, 4]


async def test_where_the_others_are_left_alone_the_same_one_is_tried_twice() -> None:
    stand = Stand(Client([[BREAKS], ["fine"]]), Client())
    stand.replicas[1].breaker.trip()
    assert await stand.call() == ["fine"]
    assert stand.asked == [2, 0]


async def test_after_half_a_minute_one_call_probes_and_its_first_result_is_enough() -> None:
    """It may be the ears' stream, which lasts as long as the conversation; the others need not wait for its end."""
    stand = Stand(Client([[BREAKS], [BREAKS], [BREAKS], ["one", HANGS]]))
    await stand.fail(2)
    stand.clock.advance(30)
    async with aclosing(stand.stream()) as probe, aclosing(stand.stream()) as other:
        assert await anext(probe) == "one"
        assert await anext(other) == "one"


async def test_a_probe_that_is_cancelled_lets_the_next_one_pass() -> None:
    stand = Stand(Client([[BREAKS], [BREAKS], [BREAKS], [HANGS], ["fine"]]))
    await stand.fail(2)
    stand.clock.advance(30)
    probe = asyncio.create_task(stand.call())
    await wait_until(lambda: stand.asked == [4], "the probe")
    assert (await stand.fail()).detailed_reason == "BREAKER_OPEN"  # one at a time
    await cancel_and_wait(probe)
    assert await stand.call() == ["fine"]


async def test_a_failed_probe_leaves_it_alone_again() -> None:
    stand = Stand(Client([[BREAKS]]))
    await stand.fail(2)
    stand.clock.advance(30)
    await stand.fail()
    assert stand.asked == [4]
    assert stand.is_open == 1


async def test_a_call_that_goes_well_forgives_the_failures_before_it() -> None:
    stand = Stand(Client([[BREAKS], [BREAKS], ["fine"], [BREAKS]]))
    await stand.fail()
    await stand.call()
    await stand.fail()
    assert stand.is_open == 0


async def test_failures_behind_the_first_result_open_the_breaker_as_well() -> None:
    stand = Stand(Client([["one", BREAKS]]))
    await stand.fail(3)
    assert stand.is_open == 1


async def test_one_that_comes_back_begins_anew() -> None:
    stand = Stand(Client([[BREAKS], [BREAKS], [BREAKS], ["fine"]]))
    await stand.fail(2)
    stand.replicas[0].tell_health(serves=True)  # it always did: no news
    assert stand.is_open == 1
    stand.replicas[0].tell_health(serves=False)
    stand.replicas[0].tell_health(serves=True)
    assert stand.is_open == 0
    assert await stand.call() == ["fine"]


async def test_the_end_of_the_callers_own_time_is_no_failure_of_the_replica() -> None:
    stand = Stand(Client([["one", DeadlineError("late")]]))

    async def impatient() -> None:
        calls.enter({}, deadline=time.monotonic())
        await stand.fail(4)

    await asyncio.create_task(impatient())  # in a context of its own
    assert (stand.failures, stand.is_open) == (0, 0)
    await stand.fail(3)
    assert (stand.failures, stand.is_open) == (3, 1)


# Time to the first result


async def test_one_that_gives_nothing_in_time_leaves_time_for_the_next() -> None:
    hanging = Client([[HANGS]])
    stand = Stand(hanging, Client())
    assert await stand.call(limit_s=0.1) == ["fine"]
    assert hanging.ended == 1
    assert stand.failures == 1


async def test_nobody_gives_anything_in_time() -> None:
    stand = Stand(Client([[HANGS]]), Client([[HANGS]]), Client())
    with pytest.raises(DeadlineError, match=r"tts gave nothing in time \(0\.1 s\)"):
        await stand.call(limit_s=0.1)
    assert stand.asked == [1, 1, 0]
    assert [client.ended for client in stand.clients] == [1, 1, 0]


async def test_one_alone_may_use_all_of_the_time_and_is_not_tried_again_after_it() -> None:
    stand = Stand(Client([[HANGS]]))
    with pytest.raises(DeadlineError):
        await stand.call(limit_s=0.1)
    assert stand.asked == [1]
    assert stand.failures == 1


async def test_results_after_the_first_may_take_their_time() -> None:
    stand = Stand(Client([["one", "two"]]))
    async with aclosing(stand.stream(limit_s=0.05)) as results:
        assert await anext(results) == "one"
        over = asyncio.get_running_loop().time() + 0.05
        await wait_until(lambda: asyncio.get_running_loop().time() > over, "the limit to pass")
        assert await anext(results) == "two"


# The three ports


@dataclass
class FakeEars:
    """Takes all audio if it is ready, none if it fails before."""

    failure: CallError | None = None
    heard: bytes = b""

    async def listen(
        self, audio: AsyncIterator[bytes], sample_rate_hz: int, language_code: str
    ) -> AsyncGenerator[EarsEvent, None]:
        if self.failure is not None:
            raise self.failure
        yield EarsReady(language_code)
        async for piece in audio:
            self.heard += piece


@dataclass
class FakeMind:
    """Writes what it is told to."""

    failure: CallError | None = None
    prompts: list[Sequence[Line]] = field(default_factory=list)

    async def reply(
        self, conversation_id: str, lines: Sequence[Line], language_code: str
    ) -> AsyncGenerator[str | ReplyEnd, None]:
        self.prompts.append(lines)
        if self.failure is not None:
            raise self.failure
        yield "Yes."
        yield ReplyEnd("fake")


@dataclass
class FakeMouth:
    """Speaks each portion of text, or fails at the first; where mute, it only reads."""

    failure: CallError | None = None
    is_mute: bool = False
    texts: list[str] = field(default_factory=list)

    async def speak(self, text: WrittenText, voice: Voice) -> AsyncGenerator[SpokenAudio, None]:
        async with aclosing(text.read()) as deltas:
            async for delta in deltas:
                self.texts.append(delta)
                if self.failure is not None:
                    raise self.failure
                if not self.is_mute:
                    yield SpokenAudio(delta.encode(), 0, len(delta), "fake")


def _replicas(stage: Stage, *clients: ClientT) -> Replicas[ClientT]:
    metrics = ReplicaMetrics.create(CollectorRegistry())
    return Replicas(stage, [Replica(stage, str(n), client, metrics) for n, client in enumerate(clients)], "in_order")


async def test_the_ears_that_take_over_hear_everything() -> None:
    async def audio() -> AsyncGenerator[bytes, None]:
        for number in range(1, 4):
            yield bytes([number])

    spare = FakeEars()
    ears = ReplicatedEars(_replicas(Stage.STT, FakeEars(LOST), spare), LONG_S)
    assert [event async for event in ears.listen(audio(), 16_000, "fr")] == [EarsReady("fr")]
    assert spare.heard == b"\1\2\3"


async def test_the_mind_that_takes_over_reads_all_lines() -> None:
    lines = [Line(Speaker.USER, "Well?")]
    spare = FakeMind()
    mind = ReplicatedMind(_replicas(Stage.LLM, FakeMind(BREAKS), spare), LONG_S)
    assert [delta async for delta in mind.reply("c", lines, "en")] == ["Yes.", ReplyEnd("fake")]
    assert spare.prompts == [lines]


async def test_the_mouth_that_takes_over_speaks_the_text_from_its_beginning() -> None:
    text = TextFlow("Hello")
    first, spare = FakeMouth(BREAKS), FakeMouth()
    async with aclosing(ReplicatedMouth(_replicas(Stage.TTS, first, spare), LONG_S).speak(text, VOICE)) as chunks:
        assert (await anext(chunks)).audio == b"Hello"
        text.append(" there.")
        text.end()
        assert [chunk.audio async for chunk in chunks] == [b" there."]
    assert first.texts == ["Hello"]


async def test_the_mouths_time_counts_from_when_it_has_enough_to_speak() -> None:
    text = TextFlow()
    mouth = FakeMouth(is_mute=True)
    no_time_s = 0.0  # so that it is over as soon as it runs
    speaking = asyncio.create_task(_speak(ReplicatedMouth(_replicas(Stage.TTS, mouth), no_time_s), text))
    text.append("Well, ")
    await wait_until(lambda: mouth.texts == ["Well, "], "the mouth to read")
    for _ in range(20):  # turns of the loop: the mind pauses
        await asyncio.sleep(0)
    assert not speaking.done()
    text.append("and more of it, " * 12)
    with pytest.raises(DeadlineError, match="tts"):
        async with asyncio.timeout(BOUND_S):
            await speaking


async def test_a_text_that_ends_without_a_word_is_spoken_without_a_sound() -> None:
    text = TextFlow()
    text.end()
    await _speak(ReplicatedMouth(_replicas(Stage.TTS, FakeMouth()), 0.0), text)


async def _speak(mouth: ReplicatedMouth, text: TextFlow) -> None:
    assert [chunk async for chunk in mouth.speak(text, VOICE)] == []


async def test_failures_with_good_conversations_between_them_are_not_in_a_row() -> None:
    async def silence() -> AsyncGenerator[bytes, None]:
        yield b""

    fake = FakeEars()
    ears = ReplicatedEars(_replicas(Stage.STT, fake), LONG_S)
    for _ in range(3):
        fake.failure = LOST
        with pytest.raises(RemoteError, match="does not answer"):
            await anext(ears.listen(silence(), 16_000, "fr"))
        fake.failure = None
        async with aclosing(ears.listen(silence(), 16_000, "fr")) as events:  # whose reader leaves
            assert await anext(events) == EarsReady("fr")
