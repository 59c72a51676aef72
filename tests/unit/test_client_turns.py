"""Which turns began and how they ended."""

import asyncio

import pytest

from client.events import (
    ConnectionLost,
    Event,
    Outcome,
    ReplyText,
    SessionOpened,
    State,
    StateChanged,
    Transcript,
    TurnFinished,
    What,
)
from client.turns import Turns

FINISHED = TurnFinished(Outcome.COMPLETED, {}, {})


def is_idle_after(turns: Turns, turn_id: str, what: What) -> bool:
    turns.observe(Event(turn_id, what))
    return turns.is_idle


def test_a_turn_goes_on_from_its_transcript_to_its_end() -> None:
    turns = Turns()
    assert is_idle_after(turns, "", Transcript("wh", is_final=False))
    assert not is_idle_after(turns, "t1", Transcript("what", is_final=True))
    assert is_idle_after(turns, "t1", FINISHED)
    assert turns.outcomes == {"t1": Outcome.COMPLETED}


def test_what_is_told_of_a_turn_that_is_over_does_not_begin_it_again() -> None:
    turns = Turns()
    turns.observe(Event("t1", StateChanged(State.THINKING)))
    turns.observe(Event("t1", FINISHED))
    turns.observe(Event("t1", StateChanged(State.LISTENING)))
    turns.observe(Event("t1", StateChanged(State.THINKING)))
    assert turns.is_idle


def test_two_turns_at_once() -> None:
    turns = Turns()
    turns.observe(Event("t1", StateChanged(State.THINKING)))
    turns.observe(Event("t2", StateChanged(State.THINKING)))
    turns.observe(Event("t1", FINISHED))
    assert not turns.is_idle
    turns.observe(Event("t2", TurnFinished(Outcome.FAILED, {}, {})))
    assert list(turns.outcomes.values()) == [Outcome.COMPLETED, Outcome.FAILED]


RESUMED = SessionOpened("s1", "secret", True, None)


def test_a_turn_that_ended_while_the_connection_was_lost() -> None:
    turns = Turns()
    turns.observe(Event("t1", StateChanged(State.THINKING)))
    assert not is_idle_after(turns, "", RESUMED)
    assert is_idle_after(turns, "", StateChanged(State.LISTENING))
    assert turns.outcomes == {"t1": Outcome.LOST}
    assert turns.gaps == 1


def test_a_turn_that_goes_on_after_a_lost_connection() -> None:
    turns = Turns()
    turns.observe(Event("t1", StateChanged(State.THINKING)))
    turns.observe(Event("", RESUMED))
    assert not is_idle_after(turns, "t1", StateChanged(State.SPEAKING))
    assert not is_idle_after(turns, "", StateChanged(State.LISTENING))
    assert is_idle_after(turns, "t1", FINISHED)
    assert turns.outcomes == {"t1": Outcome.COMPLETED}
    assert turns.gaps == 0


@pytest.mark.parametrize("state", [State.THINKING, State.SPEAKING, State.YIELDING])
def test_a_turn_that_made_room_for_another_while_the_connection_was_lost(state: State) -> None:
    turns = Turns()
    turns.observe(Event("t1", StateChanged(State.THINKING)))
    turns.observe(Event("", RESUMED))
    assert not is_idle_after(turns, "t2", StateChanged(state))
    assert turns.outcomes == {"t1": Outcome.LOST}
    assert is_idle_after(turns, "t2", FINISHED)
    assert turns.outcomes == {"t1": Outcome.LOST, "t2": Outcome.COMPLETED}
    assert turns.gaps == 0


def test_it_is_resuming_until_somebody_tells_what_goes_on() -> None:
    turns = Turns()
    turns.observe(Event("", ConnectionLost(15.0)))
    assert turns.is_resuming
    turns.observe(Event("", RESUMED))
    assert turns.is_resuming
    turns.observe(Event("t1", StateChanged(State.THINKING)))
    assert not turns.is_resuming


async def test_others_wait_for_it() -> None:
    turns = Turns()
    waiting = [
        asyncio.create_task(turns.next_event()),
        asyncio.create_task(turns.until(lambda: "t1" in turns.outcomes)),
    ]
    await asyncio.sleep(0)
    turns.observe(Event("t1", ReplyText("a")))
    await waiting[0]
    assert not waiting[1].done()
    turns.observe(Event("t1", FINISHED))
    await waiting[1]
