"""What the full-screen view shows, as it is told: tables of what was told and what is to be seen."""

import pytest

from client.config import Listening
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
    State,
    StateChanged,
    Transcript,
    TurnFinished,
    What,
)
from client.views.dialogue import Dialogue, Entry, Who, heard_end
from client.views.meter import STEPS, Meter
from client.views.screen_model import Activity, Connection, ScreenModel
from client.views.stage_times import StageTime, stage_times

OPENED = SessionOpened("s1", "secret", resumed=False, output_rate_hz=16_000)
AGAIN = SessionOpened("s1", "secret", resumed=True, output_rate_hz=16_000)
LISTENING = StateChanged(State.LISTENING)
SPEAKING = StateChanged(State.SPEAKING)
YIELDING = StateChanged(State.YIELDING, Hold.PAUSE)
MICROPHONE_GONE = DeviceChanged("input", "USB", is_there=False)
MICROPHONE_BACK = DeviceChanged("input", "USB", is_there=True)


def told(*events: What, listening: Listening = Listening.CONTINUOUS, turn_id: str = "t1") -> ScreenModel:
    model = ScreenModel(listening, "okay_nabu")
    tell(model, *events, turn_id=turn_id)
    return model


def tell(model: ScreenModel, *events: What, turn_id: str = "t1") -> None:
    for what in events:
        model.show(Event(turn_id, what))


def words(model: ScreenModel) -> list[tuple[str, str]]:
    return [(entry.who.value, entry.text) for entry in model.dialogue]


# --- what goes on


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([LISTENING], Activity.LISTENING),
        ([StateChanged(State.THINKING)], Activity.THINKING),
        ([SPEAKING], Activity.SPEAKING),
        ([SPEAKING, YIELDING], Activity.YIELDING),
        ([StateChanged(State.UNKNOWN)], Activity.LISTENING),
        ([LISTENING, Transcript("wh", is_final=False)], Activity.HEARING),
        ([LISTENING, Transcript("wh", is_final=False), Transcript("what", is_final=True)], Activity.LISTENING),
        ([LISTENING, MICROPHONE_GONE], Activity.NO_MICROPHONE),
        ([LISTENING, MICROPHONE_GONE, MICROPHONE_BACK], Activity.LISTENING),
        ([SPEAKING, MICROPHONE_GONE], Activity.SPEAKING),
        ([LISTENING, DeviceChanged("output", "HDMI", is_there=False)], Activity.LISTENING),
    ],
)
def test_what_goes_on(events: list[What], expected: Activity) -> None:
    assert told(*events).activity is expected


@pytest.mark.parametrize(
    ("listening", "events", "expected"),
    [
        (Listening.PUSH_TO_TALK, [LISTENING], Activity.WAITING_FOR_KEY),
        (Listening.PUSH_TO_TALK, [LISTENING, HearingChanged(True, "key")], Activity.LISTENING),
        (Listening.WAKE_WORD, [LISTENING], Activity.WAITING_FOR_WORD),
        (Listening.WAKE_WORD, [HearingChanged(True, "wake_word"), LISTENING], Activity.LISTENING),
        (
            Listening.WAKE_WORD,
            [LISTENING, HearingChanged(True, "wake_word"), HearingChanged(False, "too_quiet_for_long")],
            Activity.WAITING_FOR_WORD,
        ),
        (Listening.WAKE_WORD, [SPEAKING], Activity.SPEAKING),
    ],
)
def test_what_it_waits_for(listening: Listening, events: list[What], expected: Activity) -> None:
    assert told(*events, listening=listening).activity is expected


def test_muted_is_shown_while_nothing_else_goes_on() -> None:
    model = told(LISTENING)
    assert model.measure(-60, -60, is_muted=True)
    seen = [model.activity]
    tell(model, SPEAKING)
    assert [*seen, model.activity] == [Activity.MUTED, Activity.SPEAKING]
    assert model.is_muted


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([], Connection.CONNECTING),
        ([OPENED], Connection.CONNECTED),
        ([OPENED, ConnectionLost(15)], Connection.LOST),
        ([OPENED, ConnectionLost(15), AGAIN], Connection.CONNECTED),
    ],
)
def test_the_connection(events: list[What], expected: Connection) -> None:
    assert told(*events).connection is expected


def test_a_lost_connection_and_its_return_are_told() -> None:
    assert words(told(OPENED, ConnectionLost(15), AGAIN)) == [
        ("trouble", "connection lost; trying for 15 s"),
        ("program", "connected again"),
    ]


# --- what is being said


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([Transcript("what", is_final=False), Transcript("what is", is_final=False)], "what is"),
        ([Transcript("what", is_final=False), Transcript("what?", is_final=True)], ""),
        ([SPEAKING, YIELDING, Transcript("mm", is_final=False)], "mm"),
        ([SPEAKING, Transcript("mm", is_final=False), YIELDING], "mm"),
        ([YIELDING, Transcript("mm", is_final=False), SPEAKING], ""),  # a false alarm
        ([Transcript("what", is_final=False), ConnectionLost(15)], ""),
        ([Transcript("a\x1b[2Jb\rc", is_final=False)], "a [2Jb c"),
    ],
)
def test_the_partial(events: list[What], expected: str) -> None:
    assert told(*events).partial == expected


def test_of_a_long_partial_the_end_is_kept() -> None:
    partial = told(Transcript("a" * 5000 + "end", is_final=False)).partial
    assert len(partial) == 1000
    assert partial.endswith("end")


# --- the dialogue


def test_a_turn() -> None:
    model = told(Transcript("what?", is_final=True), ReplyText(" I am"), ReplyAudio(b"", 0, 0), ReplyText(" here."))
    assert words(model) == [("person", "what?"), ("assistant", "I am here.")]


def test_trouble_does_not_tear_a_reply_apart() -> None:
    model = told(ReplyText("I am"), Degraded("tts", "R", "it\x07broke"), ReplyText(" here."))
    assert words(model) == [("assistant", "I am here."), ("trouble", "mouth has a problem: it broke")]


def test_what_was_not_heard_is_told_apart() -> None:
    model = told(ReplyText("One two  three."), Interrupted("One two"), TurnFinished(Outcome.INTERRUPTED, {}, {}))
    assert list(model.dialogue) == [Entry(Who.ASSISTANT, "One two", "t1", "  three.", is_cut=True)]


def test_only_the_reply_of_that_turn_is_cut() -> None:
    model = told(ReplyText("First."))
    tell(model, ReplyText("Second."), Interrupted(""), turn_id="t2")
    assert [(entry.text, entry.unheard, entry.is_cut) for entry in model.dialogue] == [
        ("First.", "", False),
        ("", "Second.", True),
    ]


def test_an_interruption_of_nothing() -> None:
    assert words(told(Interrupted("One"))) == []


@pytest.mark.parametrize(
    ("text", "heard", "expected"),
    [
        ("One two three", "One two", "One two"),
        ("One two three", "", ""),
        ("One two three", "One two three", "One two three"),
        ("One  two\nthree", "One two three", "One  two\nthree"),
        ("One two three", "Onetwo", "One two"),
        ("One **two** three", "One two", "One "),  # it was said otherwise: as far as it is sure
        ("One", "One and more", "One"),
    ],
)
def test_how_much_of_a_text_was_heard(text: str, heard: str, expected: str) -> None:
    assert text[: heard_end(text, "".join(heard.split()))] == expected


def test_a_long_reply_is_cut_across_its_entries() -> None:
    dialogue = Dialogue()
    for _ in range(3):
        dialogue.go_on("t1", "x" * 3000)
    dialogue.cut("t1", "x" * 5000)
    assert [(len(entry.text), len(entry.unheard), entry.is_cut) for entry in dialogue] == [
        (4000, 0, False),
        (1000, 3000, False),
        (0, 1000, True),
    ]


def test_the_last_entries_are_kept() -> None:
    model = ScreenModel()
    for number in range(10_000):
        model.note(f"note {number}")
    assert words(model) == [("program", f"note {number}") for number in range(9_800, 10_000)]


def test_one_endless_reply_is_bounded() -> None:
    model = told(*[ReplyText("word " * 1000)] * 1000)
    assert sum(len(entry.text) for entry in model.dialogue) == 200 * 4000


def test_devices_that_go_and_come_are_told() -> None:
    model = told(MICROPHONE_GONE, MICROPHONE_BACK, DeviceChanged("output", "a\x1bb", is_there=False))
    assert words(model) == [
        ("trouble", "the microphone USB is gone; waiting for it"),
        ("program", "the microphone USB is back"),
        ("trouble", "the loudspeaker a b is gone; waiting for it"),
    ]
    assert model.missing == {"output": "a b"}


# --- what failed


def test_a_stage_is_marked_until_a_turn_without_trouble() -> None:
    finished = TurnFinished(Outcome.COMPLETED, {}, {})
    model = told(Degraded("llm", "R", "m"), finished)
    seen = [model.degraded]
    for turn_id, what in (("t2", Degraded("tts", "R", "m")), ("t2", finished), ("t3", finished)):
        tell(model, what, turn_id=turn_id)
        seen.append(model.degraded)
    assert seen == [("llm",), ("llm", "tts"), ("tts",), ()]


def test_a_failed_turn_is_told() -> None:
    assert words(told(TurnFinished(Outcome.FAILED, {}, {}))) == [("trouble", "the turn failed")]


# --- times and levels


@pytest.mark.parametrize(
    ("timings_ms", "expected"),
    [
        ({}, []),
        ({"total": 900, "reply_complete": 400}, []),
        ({"endpoint": 200, "transcript": 210, "first_token": 260, "first_audio": 300}, [210, 50, 40]),
        # A reply that was drafted before the ears were sure costs nothing; the next stage counts from there on.
        ({"endpoint": 200, "first_token": 120, "first_clause": 150, "first_audio": 230}, [200, 0, 30]),
        ({"endpoint": -20, "first_token": 40}, [0, 40]),
        ({"first_token": 40, "first_clause": 60, "first_heard": 100}, [60, 40]),  # typed
    ],
)
def test_what_each_stage_added(timings_ms: dict[str, float], expected: list[float]) -> None:
    assert [stage.ms for stage in stage_times(timings_ms)] == expected


def test_stages_go_by_their_names() -> None:
    timings_ms = {"first_heard": 4.0, "first_audio": 3.0, "first_clause": 2.0, "transcript": 1.0}
    assert stage_times(timings_ms) == tuple(StageTime(stage, 1.0) for stage in ("stt", "llm", "tts", "playback"))


def steps_of(*dbfs: float) -> list[int]:
    meter = Meter()
    steps = []
    for value in dbfs:
        meter.observe(value)
        steps.append(meter.steps)
    return steps


@pytest.mark.parametrize(
    ("dbfs", "steps"),
    [
        ([-60, -30, 0], [0, STEPS // 2, STEPS]),  # rises at once
        ([0, -60, -60], [STEPS, STEPS - 1, STEPS - 2]),  # falls step by step
        ([-30, -32, -30, -32], [12, 12, 12, 12]),  # noise does not make it flicker
        ([-57.5, -60], [1, 0]),
        ([-300, 20], [0, STEPS]),
    ],
)
def test_a_meter(dbfs: list[float], steps: list[int]) -> None:
    assert steps_of(*dbfs) == steps


def test_levels_that_look_the_same_change_nothing() -> None:
    model = ScreenModel()
    assert model.measure(-30, -60, is_muted=False)
    assert not model.measure(-30.4, -60, is_muted=False)
    assert model.measure(-30.4, -30, is_muted=False)
