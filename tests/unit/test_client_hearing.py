"""When the assistant may hear the microphone: gates are asked for each 20 ms of it, and that is their clock."""

from collections.abc import Iterable

import numpy as np
import pytest

from client.events import ConnectionLost, Event, Outcome, State, StateChanged, Transcript, TurnFinished
from client.gates import MutableGate
from client.hearing import AlwaysOpen, Gate
from client.push_to_talk import PushToTalk
from client.wake_word import WakeWord
from services.common.audio import Samples

_MESSAGE = 320  # samples: 20 ms
_STAY_OPEN_S = 8.0
_STAY_OPEN = 400  # messages
_CLOSING = 100  # messages of silence, in place of what is heard
_WORD, _SILENCE = 7, 0  # loudness; the detector of these tests knows the word by it


class _KnownLoudness:
    """A detector that hears the word `late` messages after its last one."""

    def __init__(self, late: int = 0) -> None:
        self._late = late
        self._since: int | None = None

    def hears(self, heard: Samples) -> bool:
        self._since = 0 if heard[0] == _WORD else None if self._since is None else self._since + 1
        return self._since == self._late


def _messages(*levels: int) -> list[Samples]:
    return [np.full(_MESSAGE, level, np.int16) for level in levels]


def _admitted(gate: Gate, heard: Iterable[Samples]) -> list[int]:
    """The loudness of each message that goes to the assistant."""
    admitted = np.concatenate([gate.admit(message) for message in heard])
    assert admitted.size % _MESSAGE == 0
    return [int(level) for level in admitted[::_MESSAGE]]


def _opened(stay_open_s: float = _STAY_OPEN_S) -> WakeWord:
    """A gate that has just heard its word."""
    gate = WakeWord(_KnownLoudness(), stay_open_s)
    _admitted(gate, _messages(_WORD))
    return gate


def _open_messages(gate: Gate, level: int = 3) -> int:
    """How many messages it hears until it closes."""
    for count in range(10_000):
        if not gate.is_open(_messages(level)[0]):
            return count
    raise AssertionError("it does not close")


def _state(state: State) -> Event:
    return Event("t1", StateChanged(state))


_FINISHED = Event("t1", TurnFinished(Outcome.COMPLETED, {}, {}))
_SOMEBODY_SPEAKS = Event("", Transcript("what is", is_final=False))


def test_continuous_listening_hears_all() -> None:
    gate = AlwaysOpen()
    gate.press()
    assert gate.is_hearing
    assert _admitted(gate, _messages(1, 2, 3)) == [1, 2, 3]


# --- the key


def test_nothing_is_heard_before_the_key() -> None:
    gate = PushToTalk()
    assert not gate.is_hearing
    assert _admitted(gate, _messages(*range(500))) == []


def test_the_key_opens_and_the_next_closes() -> None:
    gate = PushToTalk()
    gate.press()
    assert _admitted(gate, _messages(1, 2)) == [1, 2]
    gate.press()
    assert not gate.is_hearing
    assert 3 not in _admitted(gate, _messages(*[3] * 500))


def test_silence_follows_so_that_the_end_of_what_was_said_is_noticed() -> None:
    gate = PushToTalk()
    gate.press()
    gate.press()
    assert _admitted(gate, _messages(*[3] * 500)) == [_SILENCE] * _CLOSING


def test_who_presses_again_at_once_is_heard_at_once() -> None:
    gate = PushToTalk()
    gate.press()
    gate.press()
    assert _admitted(gate, _messages(3)) == [_SILENCE]
    gate.press()
    assert _admitted(gate, _messages(1, 2)) == [1, 2]


def test_the_key_is_not_shut_by_what_the_assistant_tells() -> None:
    gate = PushToTalk()
    gate.press()
    gate.observe(_FINISHED)
    assert gate.is_hearing


# --- the word


def test_nothing_is_heard_before_the_word() -> None:
    gate = WakeWord(_KnownLoudness(), _STAY_OPEN_S)
    assert _admitted(gate, _messages(*[3] * 1000)) == []
    assert (gate.is_hearing, gate.reason) == (False, "wake_word")


def test_what_follows_the_word_is_heard_though_it_was_recognised_late() -> None:
    gate = WakeWord(_KnownLoudness(late=10), _STAY_OPEN_S)
    said = [_WORD] * 10 + [0] * 4 + [3, 4, 5, 6, 5, 4, 3, 2]
    assert _admitted(gate, _messages(*said)) == said[10:]  # all since the pause, and nothing of the word
    assert gate.is_hearing


def test_without_a_pause_too_much_of_the_word_is_heard_rather_than_too_little_after_it() -> None:
    gate = WakeWord(_KnownLoudness(late=16), _STAY_OPEN_S)
    said = [_WORD] * 10 + [3, 4, 5, 6] * 4 + [5]
    assert _admitted(gate, _messages(*said))[-17:] == [3, 4, 5, 6] * 4 + [5]


def test_lips_that_close_in_the_word_are_no_pause() -> None:
    gate = WakeWord(_KnownLoudness(late=2), _STAY_OPEN_S)
    said = [*[6] * 10, 0, 0, _WORD, _WORD, 0, 0]
    assert _admitted(gate, _messages(*said)) == said


def test_it_closes_when_nobody_says_anything() -> None:
    gate = _opened()
    assert _open_messages(gate) == _STAY_OPEN - 1
    assert (gate.is_hearing, gate.reason) == (False, "too_quiet_for_long")
    assert _admitted(gate, _messages(*[3] * 500)) == [_SILENCE] * _CLOSING


def test_what_was_heard_before_it_closed_is_not_heard_again_with_the_next_word() -> None:
    gate = _opened(stay_open_s=0.1)
    assert _admitted(gate, _messages(5, 5, 5, 5, 6)) == [5, 5, 5, 5, _SILENCE]
    assert _admitted(gate, _messages(_WORD)) == [6, _WORD]


def test_the_word_said_again_keeps_it_open() -> None:
    gate = _opened()
    _admitted(gate, _messages(*[3] * 300))
    assert _admitted(gate, _messages(_WORD, 3)) == [_WORD, 3]
    assert _open_messages(gate) >= _STAY_OPEN - 2


def test_it_stays_open_while_somebody_speaks() -> None:
    gate = _opened()
    for _ in range(5):
        _admitted(gate, _messages(*[3] * 300))
        gate.observe(_SOMEBODY_SPEAKS)
    assert _open_messages(gate) == _STAY_OPEN - 1


def test_it_stays_open_while_a_turn_goes_on_and_for_a_while_afterwards() -> None:
    for state in (State.THINKING, State.SPEAKING, State.YIELDING):
        gate = _opened()
        gate.observe(_state(state))
        assert len(_admitted(gate, _messages(*[3] * 3000))) == 3000
        gate.observe(_state(State.LISTENING))
        assert _open_messages(gate) == _STAY_OPEN - 1


def test_a_turn_whose_end_is_not_told_does_not_keep_it_open() -> None:
    gate = _opened()
    gate.observe(_state(State.SPEAKING))
    gate.observe(Event("", ConnectionLost(15)))
    assert _open_messages(gate) == _STAY_OPEN - 1


def test_what_is_typed_opens_nothing() -> None:
    gate = WakeWord(_KnownLoudness(), _STAY_OPEN_S)
    for event in (Event("t1", Transcript("hello", is_final=True, typed=True)), _state(State.SPEAKING), _FINISHED):
        gate.observe(event)
        assert _admitted(gate, _messages(3)) == []


def test_the_key_opens_it_without_the_word_and_closes_it() -> None:
    gate = WakeWord(_KnownLoudness(), _STAY_OPEN_S)
    _admitted(gate, _messages(3, 4))
    gate.press()
    assert (gate.is_hearing, gate.reason) == (True, "key")
    assert _admitted(gate, _messages(5, 6)) == [5, 6]  # nothing of what was said before the key
    gate.press()
    assert (gate.is_hearing, gate.reason) == (False, "key")
    assert _admitted(gate, _messages(5)) == [_SILENCE]


@pytest.mark.parametrize("gate", [PushToTalk(), WakeWord(_KnownLoudness(), _STAY_OPEN_S)], ids=["key", "word"])
def test_the_key_opens_ears_that_were_muted_while_they_were_open(gate: Gate) -> None:
    mutable = MutableGate(gate)
    mutable.press()
    mutable.is_muted = True
    mutable.press()
    assert mutable.is_hearing
    mutable.press()
    assert not mutable.is_hearing
