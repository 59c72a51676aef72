"""What is shown of a conversation."""

import io
import json
from typing import get_args

import pytest
from rich.cells import cell_len
from rich.console import Console

from client.events import (
    ConnectionLost,
    Degraded,
    DeviceChanged,
    Event,
    HearingChanged,
    Hold,
    Interrupted,
    Outcome,
    ReplyAudio,
    ReplyText,
    SessionOpened,
    SoundCardServed,
    State,
    StateChanged,
    Transcript,
    TurnFinished,
    What,
)
from client.messages import ENGLISH, FRENCH, speak
from client.views.text_view import TextView
from client.views.view import KINDS, JsonView, View

FINISHED = TurnFinished(Outcome.COMPLETED, {"first_audio": 180.26, "total": 900}, {"llm": "scripted"})
TURN: list[What] = [
    SessionOpened("s1", "secret", False, 16_000),
    StateChanged(State.LISTENING),
    Transcript("wh", is_final=False),
    Transcript("wh", is_final=False),
    Transcript("what", is_final=True),
    ReplyText(" I am"),
    ReplyAudio(b"\0\0", 0, 0),
    ReplyText(" here."),
    FINISHED,
]


def shown(*told: What, terminal: bool = False) -> str:
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=40, highlight=False, color_system=None)
    tell(TextView(console), *told)
    return out.getvalue()


def tell(view: View, *told: What) -> None:
    for what in told:
        view.show(Event("t1", what))


def test_a_turn_as_plain_lines() -> None:
    assert shown(*TURN).splitlines() == [
        "  … wh",
        "you: what",
        "assistant: I am here.",
        "times: first audio 180 ms, total 900 ms",
        "engines: llm scripted",
    ]


def test_json_goes_through_every_pipe() -> None:
    pipe = io.TextIOWrapper(io.BytesIO(), encoding="cp1252", errors="replace")
    tell(JsonView(pipe), ReplyText("“é” ＂＼ \ud800"))
    pipe.seek(0)
    assert json.loads(pipe.read())["delta"] == "“é” ＂＼ \ud800"


def test_on_a_terminal_the_partial_makes_room_for_the_final() -> None:
    written = shown(Transcript("wh", is_final=False), Transcript("what", is_final=True), terminal=True)
    assert written == "\r\x1b[2K  … wh\r\x1b[2Kyou: what\n"


def test_a_partial_in_wide_letters_stays_on_its_line() -> None:
    written = shown(Transcript("語" * 50, is_final=False), terminal=True)
    assert cell_len(written.removeprefix("\r\x1b[2K")) < 40


def test_a_long_partial_stays_on_its_line_with_its_end() -> None:
    written = shown(Transcript("a" * 50 + "the end", is_final=False), terminal=True)
    line = written.removeprefix("\r\x1b[2K")
    assert len(line) < 40
    assert line.endswith("the end")


def test_what_was_typed_on_a_terminal_is_not_repeated() -> None:
    assert shown(Transcript("hello", is_final=True, typed=True), terminal=True) == ""
    assert shown(Transcript("hello", is_final=True, typed=True)) == "you: hello\n"


def test_trouble_begins_a_line_of_its_own() -> None:
    failed = TurnFinished(Outcome.FAILED, {}, {})
    written = shown(ReplyText("I am"), Degraded("tts", "R", "it broke"), ReplyText("sorry"), Interrupted("I"), failed)
    assert written.splitlines() == [
        "assistant: I am",
        "tts has a problem: it broke",
        "assistant: sorry",
        "(interrupted)",
        "the turn failed",
        "times: ",
        "engines: none",
    ]


def test_a_reply_that_yields_and_goes_on() -> None:
    yielding = StateChanged(State.YIELDING, Hold.PAUSE)
    written = shown(ReplyText("I am"), yielding, yielding, StateChanged(State.SPEAKING), ReplyText(" here."))
    assert written.splitlines() == ["assistant: I am", "(listens)", "(goes on)", "assistant: here."]


@pytest.mark.parametrize("end", [Interrupted("I"), StateChanged(State.LISTENING), StateChanged(State.UNKNOWN)])
def test_a_reply_that_yields_and_does_not_go_on(end: What) -> None:
    written = shown(StateChanged(State.YIELDING, Hold.DUCK), end, StateChanged(State.THINKING))
    assert "(listens)" in written
    assert "(goes on)" not in written


def test_what_was_heard_last_makes_room_when_the_reply_goes_on() -> None:
    yielding = StateChanged(State.YIELDING, Hold.PAUSE)
    written = shown(yielding, Transcript("mm", is_final=False), StateChanged(State.SPEAKING), terminal=True)
    assert written == "(listens)\n\r\x1b[2K  … mm\r\x1b[2K(goes on)\n"


def test_a_lost_connection() -> None:
    written = shown(SessionOpened("s", "r", False, None), ConnectionLost(15.0), SessionOpened("s", "r", True, None))
    assert written.splitlines() == ["(connection lost; trying for 15 s)", "(connected again)"]


def test_devices_that_go_and_come() -> None:
    told = [DeviceChanged(way, "a\x1bb", is_there) for way in ("input", "output") for is_there in (False, True)]
    assert shown(*told).splitlines() == [
        "(the microphone a b is gone; waiting for it)",
        "(the microphone a b is back)",
        "(the loudspeaker a b is gone; waiting for it)",
        "(the loudspeaker a b is back)",
    ]


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        ("wake_word", "(waits for the wake word)"),
        ("key", "(hears you once you press the key)"),
        ("muted", "(muted: it does not hear you)"),
        ("too_quiet_for_long", "(nobody spoke: it does not hear you any more)"),
    ],
)
def test_when_it_hears(reason: str, sentence: str) -> None:
    written = shown(HearingChanged(False, reason), HearingChanged(True, "key"), HearingChanged(True, "key"))
    assert written.splitlines() == [sentence, "(hears you)"]


def test_that_it_hears_from_the_start_goes_without_saying() -> None:
    assert shown(HearingChanged(True, "continuous")) == ""


def test_a_sound_card_that_had_to_wait() -> None:
    assert shown(SoundCardServed(900, 0)) == ""
    assert shown(SoundCardServed(900, 2)) == "(the sound card had to wait 2 times out of 900)\n"


def test_in_french() -> None:
    speak(FRENCH)
    try:
        written = shown(*TURN, DeviceChanged("input", "USB", is_there=False))
    finally:
        speak(ENGLISH)
    assert written.replace("\u00a0", " ").splitlines()[1:] == [
        "toi : what",
        "assistant : I am here.",
        "temps : premier son 180 ms, total 900 ms",
        "moteurs : llm scripted",
        "(le microphone USB a disparu ; j’attends son retour)",
    ]


def test_times_have_names_that_say_what_they_are() -> None:
    finished = TurnFinished(Outcome.INTERRUPTED, {"first_heard": 240, "barge_in_stop": 90}, {})
    assert shown(finished).splitlines()[0] == "times: voice to voice 240 ms, stopped after 90 ms"


def test_times_are_a_table_on_a_terminal() -> None:
    assert shown(FINISHED, terminal=True).splitlines() == [
        "",
        "first audio  180 ms",
        "total        900 ms",
        "engines: llm scripted",
    ]


def test_words_stay_whole_and_unwrapped() -> None:
    assert shown(ReplyText("word " * 30), ReplyText("end")) == "assistant: " + "word " * 30 + "end"


def test_notes_and_files() -> None:
    out = io.StringIO()
    view = TextView(Console(file=out, width=40))
    view.note("listening [here]")
    view.reply_file("a.wav", 1.25)
    view.ask_for_text()
    assert out.getvalue() == "listening [here]\nreply audio: a.wav (1.2 s)\n"


def test_json_lines() -> None:
    out = io.StringIO()
    view = JsonView(out)
    tell(view, *TURN, Degraded("tts", "R", "é"), Interrupted("I"))
    tell(view, StateChanged(State.YIELDING, Hold.DUCK), ConnectionLost(15.0))
    tell(view, DeviceChanged("input", "USB", is_there=False), HearingChanged(True, "wake_word"))
    tell(view, SoundCardServed(900, 2))
    view.note("n")
    view.reply_file("a.wav", 1.25)
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [line["event"] for line in lines] == [
        "session",
        "state",
        *["transcript"] * 3,
        "reply_text",
        "reply_audio",
        "reply_text",
        "turn_finished",
        "degraded",
        "interrupted",
        "state",
        "connection_lost",
        "device",
        "hearing",
        "sound_card",
        "note",
        "reply_file",
    ]
    assert lines[0] == {
        "event": "session",
        "turn_id": "t1",
        "session_id": "s1",
        "resumed": False,
        "output_rate_hz": 16_000,
    }
    assert lines[6] == {"event": "reply_audio", "turn_id": "t1", "sequence": 0, "first_sample": 0, "samples": 1}
    assert lines[8]["timings_ms"] == {"first_audio": 180.3, "total": 900}
    assert lines[9]["message"] == "é"
    assert lines[1] == {"event": "state", "turn_id": "t1", "state": "listening", "hold": None}
    assert lines[11] == {"event": "state", "turn_id": "t1", "state": "yielding", "hold": "duck"}
    assert lines[12] == {"event": "connection_lost", "turn_id": "t1", "trying_s": 15.0}
    assert lines[13] == {
        "event": "device",
        "turn_id": "t1",
        "direction": "input",
        "name": "USB",
        "is_there": False,
    }
    assert lines[14] == {"event": "hearing", "turn_id": "t1", "is_heard": True, "reason": "wake_word"}
    assert lines[15] == {"event": "sound_card", "turn_id": "t1", "callbacks": 900, "late": 2}


def test_every_kind_of_event_has_its_line() -> None:
    assert set(KINDS) == set(get_args(What))
