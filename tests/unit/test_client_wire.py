"""The client's side of the wire."""

import pytest

from client.events import (
    Degraded,
    End,
    Event,
    Hold,
    Input,
    Interrupt,
    Interrupted,
    MicrophoneAudio,
    Mute,
    Outcome,
    Played,
    ReplyAudio,
    ReplyText,
    SessionOpened,
    State,
    StateChanged,
    Transcript,
    TurnFinished,
    TypedText,
    What,
)
from client.wire import TIMINGS, from_response, to_request
from superwhisper.assistant.v1 import assistant_pb2 as pb
from superwhisper.common.v1 import audio_pb2

RESPONSES: list[tuple[pb.ConverseResponse, What]] = [
    (
        pb.ConverseResponse(
            session=pb.Session(
                session_id="s", resume_token="r", output_format=audio_pb2.AudioFormat(sample_rate_hz=16_000)
            )
        ),
        SessionOpened("s", "r", False, 16_000),
    ),
    (
        pb.ConverseResponse(session=pb.Session(session_id="s", resume_token="r", resumed=True)),
        SessionOpened("s", "r", True, None),
    ),
    (
        pb.ConverseResponse(state=pb.StateChanged(state=pb.ASSISTANT_STATE_SPEAKING)),
        StateChanged(State.SPEAKING),
    ),
    (
        pb.ConverseResponse(state=pb.StateChanged(state=pb.ASSISTANT_STATE_YIELDING, hold=pb.HOLD_MODE_PAUSE)),
        StateChanged(State.YIELDING, Hold.PAUSE),
    ),
    (
        pb.ConverseResponse(state=pb.StateChanged(state=pb.ASSISTANT_STATE_YIELDING, hold=pb.HOLD_MODE_DUCK)),
        StateChanged(State.YIELDING, Hold.DUCK),
    ),
    (
        pb.ConverseResponse(transcript=pb.UserTranscript(text="a", is_final=True, language_code="fr", typed=True)),
        Transcript("a", True, 0.0, "fr", True),
    ),
    (pb.ConverseResponse(reply_text=pb.ReplyText(text_delta="b")), ReplyText("b")),
    (
        pb.ConverseResponse(reply_audio=pb.ReplyAudio(audio=b"cc", sequence=2, first_sample=3)),
        ReplyAudio(b"cc", 2, 3),
    ),
    (pb.ConverseResponse(interrupted=pb.Interrupted(heard_text="d")), Interrupted("d")),
    (
        pb.ConverseResponse(degraded=pb.Degraded(stage=pb.STAGE_LLM, reason="R", message="m")),
        Degraded("llm", "R", "m"),
    ),
    (
        pb.ConverseResponse(degraded=pb.Degraded(stage=pb.STAGE_PLAYBACK, reason="R", message="m")),
        Degraded("playback", "R", "m"),
    ),
    (
        pb.ConverseResponse(
            turn_finished=pb.TurnFinished(
                outcome=pb.TURN_OUTCOME_FAILED,
                timings=pb.TurnTimings(endpoint_ms=0, first_heard_ms=3, barge_in_stop_ms=4, total_ms=5),
                backends=pb.TurnBackends(tts="tone"),
            )
        ),
        TurnFinished(
            Outcome.FAILED, {"endpoint": 0, "first_heard": 3, "barge_in_stop": 4, "total": 5}, {"tts": "tone"}
        ),
    ),
]


@pytest.mark.parametrize(("response", "expected"), RESPONSES, ids=lambda value: type(value).__name__)
def test_every_response_is_an_event(response: pb.ConverseResponse, expected: What) -> None:
    response.turn_id = "t1"
    assert from_response(response) == Event("t1", expected)


def test_every_kind_of_response_is_known() -> None:
    kinds = {response.WhichOneof("event") for response, _ in RESPONSES}
    assert kinds == {field.name for field in pb.ConverseResponse.DESCRIPTOR.oneofs_by_name["event"].fields}


def test_every_time_of_a_turn_is_known() -> None:
    assert {f"{name}_ms" for name in TIMINGS} == {field.name for field in pb.TurnTimings.DESCRIPTOR.fields}


def test_what_a_newer_assistant_says_is_passed_over() -> None:
    unknown_field = b"\xfa\x01\x00"  # field 31, empty
    assert from_response(pb.ConverseResponse.FromString(unknown_field)) is None
    state = pb.ConverseResponse(state=pb.StateChanged(state=99))  # type: ignore[arg-type]
    assert from_response(state) == Event("", StateChanged(State.UNKNOWN))
    for hold in (pb.HOLD_MODE_UNSPECIFIED, 99):  # silence is never wrong
        yielding = pb.StateChanged(state=pb.ASSISTANT_STATE_YIELDING, hold=hold)  # type: ignore[arg-type]
        assert from_response(pb.ConverseResponse(state=yielding)) == Event("", StateChanged(State.YIELDING, Hold.PAUSE))
    degraded = pb.ConverseResponse(degraded=pb.Degraded(stage=99, reason="R", message="m"))  # type: ignore[arg-type]
    assert from_response(degraded) == Event("", Degraded("unknown", "R", "m"))
    finished = pb.ConverseResponse(turn_finished=pb.TurnFinished(outcome=99))  # type: ignore[arg-type]
    assert from_response(finished) == Event("", TurnFinished(Outcome.UNKNOWN, {"total": 0}, {}))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (MicrophoneAudio(b"aa"), pb.ConverseRequest(audio=b"aa")),
        (TypedText("b"), pb.ConverseRequest(text="b")),
        (Played("t1", 7), pb.ConverseRequest(playback=pb.Playback(turn_id="t1", played_samples=7))),
        (Interrupt(), pb.ConverseRequest(control=pb.Control(interrupt=pb.Interrupt()))),
        (Mute(False), pb.ConverseRequest(control=pb.Control(mute=pb.Mute(muted=False)))),
        (End(), pb.ConverseRequest(control=pb.Control(end=pb.End()))),
    ],
)
def test_every_input_is_a_request(given: Input, expected: pb.ConverseRequest) -> None:
    assert to_request(given) == expected


def test_the_secret_and_the_audio_are_not_shown() -> None:
    assert "secret" not in repr(SessionOpened("s", "secret", False, None))
    assert "aaaa" not in repr(ReplyAudio(b"aaaa", 0, 0))
