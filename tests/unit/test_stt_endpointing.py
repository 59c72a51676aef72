"""When utterances start, pause, go on and end: frames in, events out."""

import pytest

from services.stt.endpointing import Cause, Ended, Endpointer, Endpointing, Event, Paused, Resumed, Started

FRAME_MS = 20
SETTINGS = Endpointing(soft_pause_ms=100, endpoint_silence_ms=400, min_speech_ms=120, max_utterance_ms=2000)


def run(pattern: str, settings: Endpointing = SETTINGS) -> tuple[Endpointer, list[Event]]:
    """`s` is a frame of speech, `w` of weak speech, `.` of silence."""
    endpointer = Endpointer(settings, FRAME_MS)
    events: list[Event] = []
    for frame in pattern:
        events += endpointer.push({"s": 0.9, "w": 0.4, ".": 0.05}[frame])
    return endpointer, events


def test_speech_then_silence_is_one_utterance() -> None:
    _, events = run("." * 5 + "s" * 20 + "." * 30)
    assert events == [Started(100), Paused(500), Ended(500, 900, Cause.SILENCE)]


def test_a_click_is_nothing() -> None:
    _, events = run("." * 5 + "s" * 5 + "." * 40)
    assert events == []


def test_silence_is_nothing() -> None:
    _, events = run("." * 500)
    assert events == []


def test_a_gap_shorter_than_the_soft_pause_is_not_told() -> None:
    _, events = run("s" * 20 + "." * 4 + "s" * 10)
    assert events == [Started(0)]


def test_speech_after_a_pause_goes_on_with_the_same_utterance() -> None:
    _, events = run("s" * 20 + "." * 10 + "s" * 10 + "." * 20)
    assert events == [Started(0), Paused(400), Resumed(600), Paused(800), Ended(800, 1200, Cause.SILENCE)]


def test_weak_speech_does_not_start_an_utterance_but_keeps_it_going() -> None:
    assert run("w" * 100)[1] == []
    assert run("s" * 10 + "w" * 30)[1] == [Started(0)]


def test_a_start_with_a_short_stop_in_it_is_one_start() -> None:
    _, events = run("s" * 3 + "." * 3 + "s" * 10)
    assert events == [Started(0)]


def test_two_utterances_are_told_apart() -> None:
    _, events = run(("s" * 20 + "." * 30) * 2)
    assert [event for event in events if isinstance(event, Started)] == [Started(0), Started(1000)]
    assert len([event for event in events if isinstance(event, Ended)]) == 2


def test_endless_speech_is_cut() -> None:
    _, events = run("s" * 150)
    assert events[1] == Ended(2000, 2000, Cause.MAX_LENGTH)
    assert events[2] == Started(2000)


@pytest.mark.parametrize("cause", [Cause.FLUSH, Cause.END_OF_AUDIO])
def test_an_utterance_can_be_ended_from_outside(cause: Cause) -> None:
    endpointer, _ = run("s" * 20 + "." * 3)
    assert endpointer.finish(cause) == [Ended(400, 460, cause)]
    assert endpointer.finish(cause) == []
    assert not endpointer.in_utterance
