"""Replies in turn, measured, and what becomes of those that nobody wants any more."""

import asyncio
from contextlib import aclosing

import pytest
from prometheus_client import CollectorRegistry

from services.common.chain import Answer, Candidate, EngineChain
from services.common.errors import EngineFailedError, InvalidInputError, UnavailableError, UnsupportedError
from services.common.metrics import ChainMetrics
from services.llm.engine import AtWork, Finished, LlmEngine, ReplyEvent, TextDelta, ToolCall
from services.llm.fixed import FixedReplyEngine
from services.llm.metrics import LlmMetrics
from services.llm.writer import Tally, Writer
from tests.fakes.minds import ScriptedMind
from tests.support.llm import generation, section
from tests.support.waiting import wait_until


class Bench:
    """A writer with its chain of engines and its metrics."""

    def __init__(self, *engines: LlmEngine, flags: tuple[str, ...] = ()) -> None:
        self.registry = CollectorRegistry()
        self.tally = Tally()

        def candidate(number: int, engine: LlmEngine) -> Candidate[LlmEngine]:
            async def load() -> LlmEngine:
                return engine

            return Candidate(f"engine-{number}", load)

        chain = EngineChain(
            [candidate(number, engine) for number, engine in enumerate(engines)],
            ChainMetrics.create(self.registry, "llm"),
        )
        self.writer = Writer(chain, LlmMetrics.create(self.registry), section("--llm.max_parallel", "1", *flags))

    async def reply(self, name: str = "") -> list[Answer[ReplyEvent]]:
        return [answer async for answer in self.writer.write(generation("Hi", name=name), self.tally)]

    def counted(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(name, labels) or 0

    def requests(self, backend: str, status: str) -> float:
        return self.counted("llm_requests_total", backend=backend, status=status, gpu="")


def words(answers: list[Answer[ReplyEvent]]) -> list[str]:
    return [answer.value.text for answer in answers if isinstance(answer.value, TextDelta)]


async def test_a_reply_is_passed_on_and_counted() -> None:
    bench = Bench(ScriptedMind("one ", "two"))
    answers = await bench.reply()
    assert words(answers) == ["one ", "two"]
    assert isinstance(answers[-1].value, Finished)
    assert 0 <= bench.tally.queued_ms <= bench.tally.first_token_ms <= bench.tally.total_ms
    assert bench.requests("engine-0", "ok") == 1
    assert bench.counted("llm_first_token_seconds_count", backend="engine-0") == 1
    assert bench.counted("llm_response_time_seconds_count") == 1
    kinds = {"prompt": 3, "cached": 1, "completion": 2}
    assert {kind: bench.counted("llm_tokens_total", backend="engine-0", kind=kind) for kind in kinds} == kinds


async def test_an_empty_reply_ends_all_the_same() -> None:
    (answer,) = await Bench(ScriptedMind()).reply()
    assert isinstance(answer.value, Finished)


async def test_replies_are_written_one_after_the_other_in_the_order_in_which_they_came() -> None:
    mind = ScriptedMind("one", "two", gated=True)
    bench = Bench(mind)
    replies = [asyncio.create_task(bench.reply(name)) for name in "abc"]
    await wait_until(lambda: bench.counted("llm_waiting_requests") == 2, "two that wait")
    assert mind.asked == ["a"]
    mind.release(6)
    await asyncio.gather(*replies)
    assert mind.asked == mind.ended == ["a", "b", "c"]


async def test_waiting_in_turn_is_not_held_against_the_engine() -> None:
    mind = ScriptedMind("one", "two", gated=True)
    bench = Bench(mind, FixedReplyEngine("en"), flags=("--llm.first_token_limit_s", "0.5"))
    first = bench.writer.write(generation("Hi", name="a"), Tally())
    async with aclosing(first):
        mind.release(1)
        await anext(first)
        second = asyncio.create_task(bench.reply("b"))
        # More than the limit passes on the loop's own clock while `b` waits.
        waited = asyncio.Event()
        asyncio.get_running_loop().call_later(0.8, waited.set)
        await waited.wait()
        mind.release(1)
        await wait_until(lambda: mind.asked == ["a", "b"], "the second one's turn")
        mind.release(2)
        assert {answer.backend for answer in await second} == {"engine-0"}


async def test_a_reader_that_does_not_read_holds_nobody_up() -> None:
    mind = ScriptedMind(*"abcdefgh")
    bench = Bench(mind)
    idle = bench.writer.write(generation("Hi", name="idle"), Tally())
    async with aclosing(idle):
        await anext(idle)
        assert words(await bench.reply("busy")) == list("abcdefgh")
        assert mind.ended == ["idle", "busy"]


async def test_a_reader_that_leaves_ends_the_work_and_the_next_one_is_served() -> None:
    mind = ScriptedMind(*"abcdefgh", gated=True)
    bench = Bench(mind)
    leaving = bench.writer.write(generation("Hi", name="leaving"), bench.tally)
    mind.release(2)
    await anext(leaving)
    await leaving.aclose()
    assert mind.ended == ["leaving"]
    assert mind.written == 2
    assert bench.requests("engine-0", "cancelled") == 1
    mind.release(8)
    assert words(await bench.reply("next")) == list("abcdefgh")


async def test_one_that_leaves_while_it_waits_leaves_its_place_to_the_next() -> None:
    mind = ScriptedMind("one", gated=True)
    bench = Bench(mind)
    first, leaving, last = (asyncio.create_task(bench.reply(name)) for name in ("first", "leaving", "last"))
    await wait_until(lambda: bench.counted("llm_waiting_requests") == 2, "two that wait")
    leaving.cancel()
    await asyncio.wait([leaving])
    assert bench.counted("llm_waiting_requests") == 1
    mind.release(2)
    await asyncio.gather(first, last)
    assert mind.asked == ["first", "last"]


async def test_an_engine_that_fails_before_its_first_word_leaves_the_reply_to_the_next() -> None:
    bench = Bench(ScriptedMind(RuntimeError("llama_decode returned 1")), FixedReplyEngine("en"))
    assert {answer.backend for answer in await bench.reply()} == {"engine-1"}
    assert bench.requests("engine-1", "ok") == 1


async def test_an_engine_that_fails_in_the_middle_ends_the_reply() -> None:
    bench = Bench(ScriptedMind("one", RuntimeError("oh")), FixedReplyEngine("en"))
    with pytest.raises(EngineFailedError):
        await bench.reply()
    assert bench.requests("engine-0", "failed") == 1


async def test_what_the_engine_refuses_is_the_callers_affair() -> None:
    bench = Bench(ScriptedMind(InvalidInputError("messages", "too long")), FixedReplyEngine("en"))
    with pytest.raises(InvalidInputError, match="too long"):
        await bench.reply()
    assert bench.requests("engine-0", "refused") == 1


async def test_what_the_model_thinks_is_not_shown() -> None:
    bench = Bench(ScriptedMind(AtWork(), "one ", AtWork(), "two"))
    answers = await bench.reply()
    assert words(answers) == ["one ", "two"]
    assert len(answers) == 3


async def test_a_call_of_a_tool_is_passed_on() -> None:
    call = ToolCall("1", "lamp", "{}")
    assert [answer.value for answer in await Bench(ScriptedMind(call)).reply()][:-1] == [call]


async def test_what_no_engine_supports_is_the_callers_affair() -> None:
    bench = Bench(ScriptedMind(UnsupportedError("the model knows no tools", field="tools")))
    with pytest.raises(InvalidInputError, match="knows no tools") as caught:
        await bench.reply()
    assert caught.value.field == "tools"


async def test_when_no_engine_is_left_it_says_so() -> None:
    with pytest.raises(UnavailableError):
        await Bench(ScriptedMind(RuntimeError("oh"))).reply()
