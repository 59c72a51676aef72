"""Which tokens a step reads, against a memory that notices every token too many, too few or out of place."""

from dataclasses import dataclass, field

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from services.llm.batching import Batching, Copy, Cut, Feed, Job, Step
from tests.fakes.contexts import VOCABULARY, StrictContext, next_token


@dataclass
class Bench:
    """Batching over a strict context; replies have a number of tokens each."""

    sequences: int = 4
    batch_tokens: int = 8
    can_cut: bool = True
    written: dict[Job, list[int]] = field(default_factory=dict)
    limits: dict[Job, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.batching = Batching(self.sequences, self.batch_tokens, can_cut=self.can_cut)
        self.context = StrictContext(self.sequences, self.batch_tokens, can_cut=self.can_cut)

    def add(self, prompt: list[int], tokens: int = 3, name: str = "") -> Job:
        job = Job(name, list(prompt))
        self.limits[job] = tokens
        self.written[job] = []
        self.batching.add(job)
        return job

    def step(self) -> Step | None:
        plan = self.batching.plan()
        if plan is None:
            return None
        places = self.context.run(plan)
        self.took(plan, places)
        return plan

    def took(self, plan: Step, places: dict[Feed, int]) -> None:
        self.batching.took(plan)
        for feed, token in places.items():
            self._write(feed.job, token)

    def _write(self, job: Job, token: int) -> None:
        if job not in self.limits:
            return  # it left while the step was under way
        self.written[job].append(token)
        if len(self.written[job]) == self.limits[job]:
            del self.limits[job]
            self.batching.leave(job)
        else:
            job.tokens.append(token)

    def leave(self, job: Job) -> None:
        self.limits.pop(job, None)
        self.batching.leave(job)

    def finish(self) -> None:
        while self.limits:
            assert self.step() is not None, "replies wait, and there is nothing to do"

    def reply(self, prompt: list[int], tokens: int = 3, name: str = "") -> tuple[list[int], int]:
        """What is written, and how much of the prompt was known."""
        job = self.add(prompt, tokens, name)
        self.finish()
        return self.written[job], job.known_tokens


def alone(prompt: list[int], tokens: int) -> list[int]:
    """What the model writes when nothing comes in between."""
    read = list(prompt)
    for _ in range(tokens):
        read.append(next_token(read))
    return read[len(prompt) :]


def words(first: int, count: int) -> list[int]:
    return [(first * 7 + at * 3) % VOCABULARY for at in range(count)]


SYSTEM = words(1, 30)


def test_a_reply_is_the_one_that_the_model_writes() -> None:
    assert Bench().reply(words(1, 21), 9) == (alone(words(1, 21), 9), 0)


def test_the_next_turn_reads_only_what_is_new() -> None:
    bench = Bench()
    first, _ = bench.reply(SYSTEM, name="a")
    read = bench.context.read
    prompt = [*SYSTEM, *first, *words(9, 5)]
    assert bench.reply(prompt, name="a") == (alone(prompt, 3), len(SYSTEM) + 2)  # its last token was never read
    assert bench.context.read == read + 1 + 5 + 2


def test_a_prompt_that_is_all_known_is_read_again_from_its_last_token() -> None:
    bench = Bench()
    for known in (0, len(SYSTEM) - 1):
        assert bench.reply(SYSTEM, name="a") == (alone(SYSTEM, 3), known)


def test_another_conversation_copies_what_begins_alike() -> None:
    bench = Bench()
    bench.reply([*SYSTEM, 1, 2], name="a")
    job = bench.add([*SYSTEM, 3, 4], name="b")
    step = bench.step()
    assert step is not None
    assert step.changes == (Copy(0, 1), Cut(1, len(SYSTEM)))
    bench.finish()
    assert bench.written[job] == alone([*SYSTEM, 3, 4], 3)
    assert job.known_tokens == len(SYSTEM)


def test_what_two_conversations_begin_with_at_the_same_time_is_read_once() -> None:
    bench = Bench()
    jobs = [bench.add([*SYSTEM, number, number], 1, name=str(number)) for number in (1, 2, 3)]
    bench.finish()
    assert bench.context.read == len(SYSTEM) + 3 * 2
    assert [bench.written[job] for job in jobs] == [alone([*SYSTEM, number, number], 1) for number in (1, 2, 3)]


def test_who_waits_for_a_copy_goes_on_alone_when_the_other_leaves() -> None:
    bench = Bench()
    first = bench.add([*SYSTEM, 1], name="a")
    second = bench.add([*SYSTEM, 2], name="b")
    bench.step()
    bench.leave(first)
    bench.finish()
    assert bench.written[second] == alone([*SYSTEM, 2], 3)


def test_a_short_beginning_is_not_worth_a_copy() -> None:
    bench = Bench()
    bench.reply(SYSTEM, name="a")
    bench.add([*SYSTEM[:10], 49, 48], name="b")
    step = bench.step()
    assert step is not None
    assert step.changes == (Cut(1, 0),)


def test_the_conversation_that_rested_longest_makes_room() -> None:
    bench = Bench(sequences=2)
    for name in "aba":
        bench.reply(words(ord(name), 20), name=name)
    bench.reply(words(3, 20), name="c")
    assert bench.reply(words(ord("a"), 20), name="a")[1] == 19
    assert bench.reply(words(ord("b"), 20), name="b")[1] == 0


def test_what_has_no_name_makes_room_first() -> None:
    bench = Bench(sequences=2)
    bench.reply(words(1, 20), name="a")
    bench.reply(words(2, 20))
    bench.reply(words(3, 20))
    assert bench.reply(words(1, 20), name="a")[1] == 19


def test_of_two_branches_of_a_conversation_the_older_one_makes_room() -> None:
    bench = Bench(sequences=2)
    dropped = bench.add([*SYSTEM, *words(1, 20)], name="a")
    bench.step()
    newer = bench.add([*SYSTEM, *words(2, 20)], name="a")
    for _ in range(4):
        bench.step()
    bench.leave(dropped)
    bench.finish()
    bench.reply(words(3, 20), name="b")
    assert bench.reply([*SYSTEM, *words(2, 20)], name="a")[1] == len(SYSTEM) + 19
    assert bench.written[newer] == alone([*SYSTEM, *words(2, 20)], 3)


def test_replies_go_on_while_a_long_prompt_is_read() -> None:
    bench = Bench()
    writing = bench.add([1, 2], 9)
    bench.step()
    bench.add(words(1, 100), name="long")
    for count in range(2, 7):
        step = bench.step()
        assert step is not None
        assert sorted(len(feed.tokens) for feed in step.feeds) == [1, 7]
        assert len(bench.written[writing]) == count


def test_a_short_prompt_does_not_wait_for_a_long_one() -> None:
    bench = Bench()
    bench.add(words(1, 100))
    bench.step()
    short = bench.add([1, 2, 3], 1)
    bench.step()
    assert bench.written[short]


def test_more_replies_than_sequences_wait_in_turn() -> None:
    bench = Bench(sequences=2)
    jobs = [bench.add(words(number, 10)) for number in range(5)]
    bench.step()
    assert (bench.batching.live, bench.batching.waiting) == (2, 3)
    bench.leave(jobs[3])
    bench.finish()
    assert [bool(bench.written[job]) for job in jobs] == [True, True, True, False, True]
    assert (bench.batching.live, bench.batching.waiting) == (0, 0)


@pytest.mark.parametrize("steps", [0, 1, 3, 5])
def test_one_that_leaves_is_in_no_later_step(steps: int) -> None:
    """Queued, in the middle of its prompt, at its end, while it is written."""
    bench = Bench()
    leaving = bench.add(words(1, 20), 90)
    for _ in range(steps):
        bench.step()
    bench.leave(leaving)
    assert bench.step() is None
    assert bench.batching.live == bench.batching.waiting == 0


def test_after_a_step_that_failed_its_sequences_begin_anew() -> None:
    bench = Bench()
    bench.reply(SYSTEM, name="a")
    job = bench.add([*SYSTEM, 1], name="a")
    step = bench.batching.plan()
    assert step is not None
    assert bench.batching.lost(step) == [job]
    bench.limits.clear()
    bench.context.memory[0].append(13)  # who knows what it holds
    assert bench.reply([*SYSTEM, 1], name="a") == (alone([*SYSTEM, 1], 3), 0)


def test_a_memory_that_cannot_be_cut_is_used_only_where_it_need_not_be() -> None:
    bench = Bench(can_cut=False)
    first, _ = bench.reply(SYSTEM, name="a")
    longer = [*SYSTEM, *first, 1, 2]
    assert bench.reply(longer, name="a") == (alone(longer, 3), len(SYSTEM) + 2)
    assert bench.reply([*SYSTEM, 5, 5, 5], name="a") == (alone([*SYSTEM, 5, 5, 5], 3), 0)


@st.composite
def _prompts(draw: st.DrawFn) -> list[int]:
    """They begin alike, now and then."""
    system = SYSTEM[: draw(st.sampled_from([0, 5, 18, 30]))]
    return [*system, *words(draw(st.integers(0, 3)), draw(st.integers(1, 25)))]


class WhateverComesBetween(RuleBasedStateMachine):
    """Every reply is the one that the model writes alone."""

    @initialize(sequences=st.integers(1, 4), batch_tokens=st.integers(4, 16), can_cut=st.booleans())
    def begin(self, sequences: int, batch_tokens: int, can_cut: bool) -> None:
        self.bench = Bench(sequences, batch_tokens, can_cut)
        self.prompts: dict[Job, list[int]] = {}
        self.given_up: set[Job] = set()

    @rule(prompt=_prompts(), tokens=st.integers(1, 6), name=st.sampled_from(["", "a", "b", "c", "d", "e"]))
    def start(self, prompt: list[int], tokens: int, name: str) -> None:
        self.prompts[self.bench.add(prompt, tokens, name)] = prompt

    @rule(which=st.integers(0, 9))
    def take_the_next_turn(self, which: int) -> None:
        over = [job for job in self.prompts if job not in self.bench.limits and job not in self.given_up]
        if over:
            job = over[which % len(over)]
            self.start([*self.prompts[job], *self.bench.written[job], 1, 2], 2, job.conversation_id)

    @rule(count=st.integers(1, 4))
    def step(self, count: int) -> None:
        for _ in range(count):
            self.bench.step()

    @rule(which=st.integers(0, 9))
    def cancel(self, which: int) -> None:
        if running := list(self.bench.limits):
            self.given_up.add(running[which % len(running)])
            self.bench.leave(running[which % len(running)])

    @rule(which=st.integers(0, 9))
    def cancel_during_a_step(self, which: int) -> None:
        if plan := self.bench.batching.plan():
            places = self.bench.context.run(plan)
            self.cancel(which)
            self.bench.took(plan, places)

    @rule(rubbish=st.integers(0, VOCABULARY - 1))
    def fail_a_step(self, rubbish: int) -> None:
        if plan := self.bench.batching.plan():
            self.bench.context.run(plan)
            for feed in plan.feeds:
                self.bench.context.memory[feed.sequence].append(rubbish)
            for job in self.bench.batching.lost(plan):
                self.given_up.add(job)
                self.bench.leave(job)

    def teardown(self) -> None:
        self.bench.finish()
        assert self.bench.batching.live == self.bench.batching.waiting == 0
        for job in self.prompts.keys() - self.given_up:
            assert self.bench.written[job] == alone(self.prompts[job], len(self.bench.written[job]))


WhateverComesBetween.TestCase.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
TestWhateverComesBetween = WhateverComesBetween.TestCase
