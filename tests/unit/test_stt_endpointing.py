"""When utterances start, pause, go on and end: frames in, events out."""

from dataclasses import replace

import pytest

from services.common.errors import InvalidInputError
from services.stt import wire
from services.stt.config import EndpointingSection
from services.stt.endpointing import (
    LONGEST_ONSET_MS,
    Cause,
    Ended,
    Endpointer,
    Endpointing,
    Event,
    Paused,
    Resumed,
    Started,
    Verdict,
)
from superwhisper.stt.v1 import stt_pb2

FRAME_MS = 20
SETTINGS = Endpointing(
    soft_pause_ms=100,
    endpoint_silence_ms=200,
    unjudged_silence_ms=400,
    unfinished_wait_ms=300,
    min_speech_ms=120,
    speech_threshold=0.5,
    hysteresis=0.15,
    onset_hysteresis=0.25,
    max_utterance_ms=2000,
)
PROBABILITIES = {"s": 0.9, "w": 0.4, "q": 0.3, ".": 0.05}


def run(pattern: str, settings: Endpointing = SETTINGS) -> tuple[Endpointer, list[Event]]:
    """`s` is a frame of speech, `w` of weak speech, `q` of what is quieter still, `.` of silence.

    `+` is the verdict that the speaker is done, `-` that he is not.
    """
    endpointer = Endpointer(settings, FRAME_MS)
    events: list[Event] = []
    for frame in pattern:
        if frame in "+-":
            endpointer.judge(Verdict.FINISHED if frame == "+" else Verdict.UNFINISHED)
        else:
            events += endpointer.push(PROBABILITIES[frame])
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


def test_what_is_quieter_still_ends_an_utterance_but_not_its_onset() -> None:
    assert run("s" * 10 + "q" * 30)[1] == [Started(0), Paused(200), Ended(200, 600, Cause.SILENCE)]
    assert run("s" + "q" * 9)[1] == [Started(0)]


def test_speech_began_where_it_became_audible() -> None:
    _, events = run("." * 10 + "q" * 3 + "s" * 10)
    assert events == [Started(200)]
    assert [event.sure_ms for event in events if isinstance(event, Started)] == [260]


def test_a_long_murmur_before_speech_is_not_its_beginning() -> None:
    _, events = run("q" * 100 + "s" * 10)
    assert events == [Started(2000 - LONGEST_ONSET_MS)]


def test_a_murmur_that_ended_is_not_the_beginning() -> None:
    _, events = run("q" * 5 + "." + "s" * 10)
    assert events == [Started(120)]


def test_soft_sounds_do_not_make_a_click_an_utterance() -> None:
    _, events = run("q" * 10 + "s" + "." * 40)
    assert events == []


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


def test_a_speaker_who_is_done_is_not_waited_for() -> None:
    _, events = run("s" * 20 + "." * 5 + "+" + "." * 30)
    assert events[-1] == Ended(400, 600, Cause.SILENCE)


def test_a_speaker_who_is_not_done_is_waited_for_but_not_for_ever() -> None:
    _, events = run("s" * 20 + "." * 5 + "-" + "." * 30)
    assert events[-1] == Ended(400, 900, Cause.SILENCE)


def test_a_speaker_who_was_waited_for_goes_on() -> None:
    _, events = run("s" * 20 + "." * 5 + "-" + "." * 19 + "s" * 10)
    assert events == [Started(0), Paused(400), Resumed(880)]


def test_a_verdict_is_void_when_speech_goes_on() -> None:
    _, events = run("s" * 20 + "." * 5 + "+" + "..." + "s" * 10 + "." * 30)
    assert events[-1] == Ended(760, 1160, Cause.SILENCE)


def test_a_verdict_that_comes_when_speech_goes_on_already_is_void() -> None:
    _, events = run("s" * 20 + "." * 5 + "s" + "-" + "s" * 9 + "." * 30)
    assert events[-1] == Ended(700, 1100, Cause.SILENCE)


def test_the_service_s_settings_are_those_that_were_measured() -> None:
    measured = Endpointing()
    assert Endpointing(**EndpointingSection().model_dump()) == measured
    assert wire.to_endpointing(stt_pb2.EndpointingConfig(), EndpointingSection()) == measured


def test_a_caller_who_says_how_long_silence_is_means_it_with_and_without_a_turn_detector() -> None:
    said = wire.to_endpointing(stt_pb2.EndpointingConfig(endpoint_silence_ms=250), EndpointingSection())
    assert said == replace(Endpointing(), endpoint_silence_ms=250, unjudged_silence_ms=250)


@pytest.mark.parametrize("wait_ms", [0, 5000])
def test_a_caller_may_say_how_long_to_wait(wait_ms: int) -> None:
    said = wire.to_endpointing(stt_pb2.EndpointingConfig(unfinished_wait_ms=wait_ms), EndpointingSection())
    assert said == replace(Endpointing(), unfinished_wait_ms=wait_ms)


@pytest.mark.parametrize("wait_ms", [-1, 5001])
def test_a_wait_beyond_its_range_is_refused_by_name(wait_ms: int) -> None:
    with pytest.raises(InvalidInputError) as caught:
        wire.to_endpointing(stt_pb2.EndpointingConfig(unfinished_wait_ms=wait_ms), EndpointingSection())
    assert caught.value.field == "endpointing.unfinished_wait_ms"


def test_what_is_published_is_what_holds() -> None:
    judged = wire.from_endpointing(EndpointingSection(), judged=True)
    assert (judged.endpoint_silence_ms, judged.unfinished_wait_ms) == (300, 1000)
    unjudged = wire.from_endpointing(EndpointingSection(), judged=False)
    assert (unjudged.endpoint_silence_ms, unjudged.unfinished_wait_ms) == (600, 0)
    assert wire.to_endpointing(unjudged, EndpointingSection()).endpoint_silence_ms == 600
