"""The turn machine: a table of what happens, and a property over random orders of events."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.errors import LimitExceededError
from services.orchestrator.turn import (
    AudioBegan,
    BeginTurn,
    CancelTurn,
    Effect,
    EndAsked,
    EndConversation,
    EnterState,
    Input,
    InterruptAsked,
    Said,
    State,
    TurnEnded,
    TurnMachine,
)

HELLO = Said("hello", typed=False)
TYPED = Said("typed", typed=True)


def after(*events: Input) -> tuple[TurnMachine, list[Effect]]:
    """A machine after some events, and what the last one did."""
    machine, effects = TurnMachine(), []
    for event in events:
        effects = machine.step(event)
    return machine, effects


def test_what_is_said_begins_a_turn() -> None:
    machine, effects = after(HELLO)
    assert effects == [EnterState(State.THINKING), BeginTurn("turn-1", HELLO)]
    assert machine.state is State.THINKING


def test_the_first_audio_is_speaking_and_the_second_is_not_told_again() -> None:
    _, effects = after(HELLO, AudioBegan("turn-1"))
    assert effects == [EnterState(State.SPEAKING)]
    _, effects = after(HELLO, AudioBegan("turn-1"), AudioBegan("turn-1"))
    assert effects == []


@pytest.mark.parametrize("spoken", [(), (AudioBegan("turn-1"),)])
def test_a_turn_that_ended_leads_back_to_listening(spoken: tuple[Input, ...]) -> None:
    machine, effects = after(HELLO, *spoken, TurnEnded("turn-1"))
    assert effects == [EnterState(State.LISTENING)]
    assert machine.state is State.LISTENING


def test_silence_and_noise_begin_nothing() -> None:
    assert after(Said("  ", typed=False))[1] == []


def test_what_is_said_during_a_turn_is_not_taken_up() -> None:
    machine, effects = after(HELLO, HELLO)
    assert effects == []
    assert machine.step(TurnEnded("turn-1")) == [EnterState(State.LISTENING)]


def test_what_is_typed_during_a_turn_waits_for_its_end() -> None:
    machine, effects = after(HELLO, TYPED)
    assert effects == []
    assert machine.step(TurnEnded("turn-1")) == [EnterState(State.THINKING), BeginTurn("turn-2", TYPED)]


def test_too_much_typed_text_is_refused() -> None:
    machine, _ = after(HELLO, *[TYPED] * 10)
    with pytest.raises(LimitExceededError):
        machine.step(TYPED)


def test_an_interruption_cancels_the_turn_and_nothing_else() -> None:
    assert after(InterruptAsked())[1] == []
    assert after(HELLO, InterruptAsked())[1] == [CancelTurn("turn-1")]


def test_events_of_an_earlier_turn_change_nothing() -> None:
    machine, _ = after(HELLO, TurnEnded("turn-1"), HELLO)
    assert machine.step(AudioBegan("turn-1")) == []
    assert machine.step(TurnEnded("turn-1")) == []
    assert machine.state is State.THINKING


def test_the_end_waits_for_the_turn() -> None:
    assert after(EndAsked())[1] == [EndConversation()]
    machine, effects = after(HELLO, EndAsked())
    assert effects == []
    assert machine.step(HELLO) == []
    assert machine.step(TurnEnded("turn-1")) == [EnterState(State.LISTENING), EndConversation()]


INPUTS = st.one_of(
    st.sampled_from([HELLO, TYPED, Said("", typed=False), InterruptAsked(), EndAsked()]),
    st.integers(1, 5).map(lambda number: AudioBegan(f"turn-{number}")),
    st.integers(1, 5).map(lambda number: TurnEnded(f"turn-{number}")),
)


@given(st.lists(INPUTS, max_size=60))
def test_no_order_of_events_breaks_it(events: list[Input]) -> None:
    machine = TurnMachine()
    open_turns: list[str] = []
    begun: list[str] = []
    for event in events:
        waiting_limit = False
        try:
            effects = machine.step(event)
        except LimitExceededError:
            waiting_limit = True
            effects = []
        if isinstance(event, TurnEnded) and event.turn_id in open_turns:
            open_turns.remove(event.turn_id)
        for effect in effects:
            if isinstance(effect, BeginTurn):
                assert effect.turn_id not in begun, "a turn began twice"
                begun.append(effect.turn_id)
                open_turns.append(effect.turn_id)
        assert len(open_turns) <= 1, "two turns at once"
        assert (machine.state is State.LISTENING) == (not open_turns)
        assert not waiting_limit or machine.state is not State.LISTENING
    # Whatever happened, it is not stuck: the open turn can end, and all that waits is taken up in order.
    while open_turns:
        effects = machine.step(TurnEnded(open_turns.pop()))
        open_turns = [effect.turn_id for effect in effects if isinstance(effect, BeginTurn)]
    assert machine.state is State.LISTENING
