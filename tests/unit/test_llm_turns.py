"""services/llm/turns.py: which turns of a long conversation a model is shown."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.llm.engine import ChatMessage, Role, ToolCall
from services.llm.turns import fit

SYSTEM = ChatMessage(Role.SYSTEM, "Be brief.")
GREETING = ChatMessage(Role.ASSISTANT, "Hello!")


def talk(turns: int, first: int = 0) -> list[ChatMessage]:
    """Turns of different lengths, and a last one that waits for its reply."""
    messages = []
    for number in range(first, first + turns):
        messages.append(ChatMessage(Role.USER, f"Question {number}" + "?" * (number % 7)))
        messages.append(ChatMessage(Role.ASSISTANT, f"Answer {number}" + "!" * (number % 11)))
    return messages[:-1]


def length(messages: Sequence[ChatMessage]) -> int:
    return sum(len(message.content) for message in messages)


def turns_of(messages: Sequence[ChatMessage]) -> int:
    return sum(message.role is Role.USER for message in messages)


def anything(_messages: Sequence[ChatMessage]) -> bool:
    return True


def nothing(_messages: Sequence[ChatMessage]) -> bool:
    return False


def test_what_fits_is_left_as_it_is() -> None:
    messages = [SYSTEM, GREETING, *talk(9)]
    assert fit(messages, anything, 9) == tuple(messages)


def test_what_fits_at_once_is_asked_about_once() -> None:
    asked = []
    fit(talk(40), lambda messages: not asked.append(len(messages)), 50)  # type: ignore[func-returns-value]
    assert asked == [79]


def test_a_long_history_is_asked_about_few_times() -> None:
    asked = []

    def fits(messages: Sequence[ChatMessage]) -> bool:
        asked.append(messages)
        return length(messages) < 300

    fit(talk(64), fits, 64)
    assert len(asked) <= 7


def test_the_system_message_and_the_last_turn_stay() -> None:
    messages = [SYSTEM, GREETING, *talk(5)]
    assert fit(messages, lambda kept: len(kept) <= 2, 50) == (SYSTEM, messages[-1])


def test_where_the_last_turn_does_not_fit_nothing_does() -> None:
    assert fit([SYSTEM, *talk(5)], nothing, 50) is None
    assert fit(talk(1), nothing, 50) is None


def test_what_comes_before_the_first_question_goes_with_the_oldest_turn() -> None:
    kept = fit([SYSTEM, GREETING, *talk(4)], anything, 3)
    assert kept is not None
    assert kept[0] == SYSTEM
    assert GREETING not in kept
    assert kept[1].role is Role.USER


def test_a_turn_is_dropped_with_its_calls_and_their_results() -> None:
    call = ToolCall("call_1", "clock", "{}")
    first = [
        ChatMessage(Role.USER, "What time is it?"),
        ChatMessage(Role.ASSISTANT, "", tool_calls=(call,)),
        ChatMessage(Role.TOOL, "noon", tool_call_id="call_1"),
        ChatMessage(Role.ASSISTANT, "Noon."),
    ]
    assert fit([*first, *talk(1)], anything, 1) == tuple(talk(1))


def test_a_conversation_of_nothing_but_a_system_message_is_no_trouble() -> None:
    assert fit([SYSTEM], anything, 3) == (SYSTEM,)
    assert fit([], anything, 3) == ()


def kept_of(turns: int, *, limit: int, max_turns: int, remembered: int = 1000) -> tuple[ChatMessage, ...]:
    """What is kept of a conversation after so many turns, whose caller himself remembers only so many."""
    forgotten = max(0, turns - remembered)
    kept = fit([SYSTEM, *talk(turns - forgotten, forgotten)], lambda messages: length(messages) <= limit, max_turns)
    assert kept is not None
    return kept


@pytest.mark.parametrize(
    ("limit", "max_turns", "remembered"),
    [(700, 1000, 1000), (100_000, 24, 1000), (700, 24, 1000), (700, 1000, 40)],
    ids=["too long", "too many", "both", "trimmed by the caller as well"],
)
def test_the_start_stays_the_same_while_a_conversation_grows(limit: int, max_turns: int, remembered: int) -> None:
    kept = [kept_of(turns, limit=limit, max_turns=max_turns, remembered=remembered) for turns in range(1, 201)]
    changes = sum(after[: len(before)] != before for before, after in pairwise(kept))
    assert 0 < changes <= 25  # of 199; with the exact number of turns it would be about 175


@pytest.mark.parametrize(("limit", "max_turns"), [(700, 1000), (100_000, 24), (700, 24), (60, 1000)])
def test_at_least_half_of_what_could_be_kept_is_kept(limit: int, max_turns: int) -> None:
    for turns in range(1, 201):
        kept = kept_of(turns, limit=limit, max_turns=max_turns)
        messages = talk(turns)
        possible = max(
            count
            for count in range(1, min(turns, max_turns) + 1)
            if length([SYSTEM, *messages[-2 * count + 1 :]]) <= limit
        )
        assert possible / 2 <= turns_of(kept) <= possible


@given(st.lists(st.sampled_from([Role.USER, Role.ASSISTANT]), max_size=30), st.integers(1, 8), st.integers(1, 200))
def test_what_is_kept_fits_and_is_the_end_of_the_conversation(roles: list[Role], max_turns: int, limit: int) -> None:
    messages = [ChatMessage(role, f"{number} words") for number, role in enumerate([*roles, Role.USER])]
    kept = fit(messages, lambda some: length(some) <= limit, max_turns)
    if kept is None:
        only_turn = Role.USER not in roles
        assert length(messages if only_turn else messages[-1:]) > limit
    else:
        assert length(kept) <= limit
        assert turns_of(kept) <= max_turns
        assert list(kept) == messages[len(messages) - len(kept) :]
        assert len(kept) == len(messages) or kept[0].role is Role.USER
