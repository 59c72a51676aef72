"""The lines of the full-screen view."""

from collections.abc import Callable, Iterator

import pytest
from rich.console import Console
from rich.text import Text

from client.config import Listening
from client.events import (
    ConnectionLost,
    Degraded,
    DeviceChanged,
    Event,
    HearingChanged,
    Outcome,
    SessionOpened,
    State,
    StateChanged,
    Transcript,
    TurnFinished,
    What,
)
from client.messages import ENGLISH, FRENCH, speak
from client.views import screen_text, sentences
from client.views.dialogue import Entry, Who
from client.views.screen_model import Activity, ScreenModel
from client.views.screen_words import SHOWN
from client.wire import TIMINGS

LINES = [screen_text.header, screen_text.live, screen_text.meters, screen_text.times, screen_text.hints]
OPENED = SessionOpened("s1", "", resumed=False, output_rate_hz=None)
TIMES = TurnFinished(Outcome.COMPLETED, {"endpoint": 200, "first_token": 300, "first_audio": 350}, {})
EVERYTHING: list[What] = [
    OPENED,
    StateChanged(State.YIELDING),
    Degraded("stt", "R", "m"),
    Degraded("llm", "R", "m"),
    Degraded("tts", "R", "m"),
    ConnectionLost(15),
    DeviceChanged("output", "a loudspeaker with a long name", is_there=False),
    Transcript("wide 漢字 letters " * 30, is_final=False),
    TurnFinished(Outcome.COMPLETED, {"endpoint": 1e6, "first_token": 2e6, "first_audio": 3e6, "first_heard": 4e6}, {}),
]


def model(*events: What, listening: Listening = Listening.CONTINUOUS) -> ScreenModel:
    told = ScreenModel(listening, "okay_nabu")
    for what in events:
        told.show(Event("t1", what))
    return told


@pytest.fixture
def _in_french() -> Iterator[None]:
    speak(FRENCH)
    yield
    speak(ENGLISH)


def lines_of(entry: Entry, width: int = 40) -> list[str]:
    return [line.plain.rstrip() for line in screen_text.entry_lines(entry, width, Console(width=width))]


def test_the_header() -> None:
    line = screen_text.header(model(OPENED, StateChanged(State.SPEAKING), Degraded("tts", "R", "m")), 60).plain
    assert line == "  SPEAKING   ● connected  ▲ mouth              SuperWhisper "


def test_the_header_while_the_connection_is_lost() -> None:
    assert "○ connection lost; trying for 2.5 s" in screen_text.header(model(OPENED, ConnectionLost(2.5)), 80).plain
    assert "○ connecting …" in screen_text.header(model(), 80).plain


@pytest.mark.parametrize("activity", list(Activity))
def test_each_activity_has_a_word_a_colour_and_advice(activity: Activity) -> None:
    shown = SHOWN[activity]
    assert shown.word.isupper()
    assert shown.colour in {"cyan", "green", "yellow", "red", "magenta"}
    assert shown.advice


def test_of_a_partial_that_is_too_long_the_end_is_shown() -> None:
    line = screen_text.live(model(Transcript("漢" * 100 + " the end", is_final=False)), 40)
    assert line.plain.endswith("漢 the end")
    assert line.cell_len <= 40


def test_advice_names_the_wake_word() -> None:
    told = model(StateChanged(State.LISTENING), listening=Listening.WAKE_WORD)
    assert screen_text.live(told, 60).plain.strip() == "say “okay nabu”, or type below"


def test_meters() -> None:
    told = model()
    told.measure(-30, -60, is_muted=False)
    assert screen_text.meters(told, 60).plain == f"       you  {'━' * 6}{'─' * 6}    assistant  {'─' * 12}"
    told.measure(-30, -60, is_muted=True)
    told.show(Event("", DeviceChanged("output", "HDMI", is_there=False)))
    assert screen_text.meters(told, 60).plain.split() == ["you", "muted", "assistant", "gone"]
    told.show(Event("", DeviceChanged("input", "USB", is_there=False)))
    assert screen_text.meters(told, 60).plain.split() == ["you", "gone", "assistant", "gone"]


def test_times_are_a_bar_with_its_meaning() -> None:
    line = screen_text.times(model(TIMES), 90).plain
    assert line == f" last turn  {'█' * 14}{'▓' * 7}{'▒' * 3} 350 ms  █ ears 200  ▓ mind 100  ▒ mouth 50"


def test_a_stage_that_took_little_is_still_seen_and_one_that_took_nothing_is_not() -> None:
    finished = TurnFinished(Outcome.COMPLETED, {"endpoint": 1, "first_token": 1, "first_audio": 9000}, {})
    assert "█▒▒" in screen_text.times(model(finished), 90).plain
    assert "▓" not in screen_text.times(model(finished), 90).plain


def test_before_the_first_turn_there_are_no_times() -> None:
    assert screen_text.times(model(), 80).plain == " last turn  –"


def test_the_key_for_talking_is_shown_where_it_does_something() -> None:
    assert "F2" not in screen_text.hints(model(), 80).plain
    told = model(StateChanged(State.LISTENING), listening=Listening.PUSH_TO_TALK)
    assert screen_text.hints(told, 80).plain.startswith("  F2  talk")
    assert screen_text.live(told, 80).plain.strip() == "press F2 and speak, or type below"
    told.show(Event("", HearingChanged(True, "key")))
    assert screen_text.hints(told, 80).plain.startswith("  F2  have done")
    assert screen_text.live(told, 80).plain.strip() == "speak, then press F2 again"


def test_a_narrow_terminal_shows_fewer_hints() -> None:
    assert screen_text.hints(model(), 30).plain.split() == ["Esc", "stop", "F3", "mute"]


@pytest.mark.parametrize("width", [1, 20, 60, 80, 200])
@pytest.mark.parametrize("make", LINES)
@pytest.mark.usefixtures("_in_french")
def test_no_line_is_wider_than_the_terminal(make: Callable[[ScreenModel, int], Text], width: int) -> None:
    told = model(*EVERYTHING, listening=Listening.PUSH_TO_TALK)
    # 13 cells: a label and a letter. Nobody reads a terminal that is narrower.
    assert make(told, width).cell_len <= max(width, 13)


def test_words_are_wrapped_beside_their_label() -> None:
    entry = Entry(Who.ASSISTANT, "one two three four five six seven\neight")
    assert lines_of(entry) == [" assistant  one two three four five six", "            seven", "            eight"]


def test_a_word_wider_than_the_terminal_is_broken() -> None:
    assert all(len(line) <= 40 for line in lines_of(Entry(Who.PERSON, "x" * 100)))


def test_what_was_not_heard_is_struck_and_the_cut_is_said() -> None:
    entry = Entry(Who.ASSISTANT, "One ", unheard=" two", is_cut=True)
    [line] = screen_text.entry_lines(entry, 80, Console(width=80))
    assert line.plain == " assistant  One two (interrupted)"
    [struck] = [span for span in line.spans if "strike" in str(span.style)]
    assert line.plain[struck.start : struck.end] == "two"


def test_markup_in_what_was_said_is_only_text() -> None:
    assert lines_of(Entry(Who.PERSON, "[red]a[/red] @click")) == ["       you  [red]a[/red] @click"]


def test_every_time_that_the_wire_knows_has_a_name() -> None:
    assert [sentences.of_time(name) for name in TIMINGS] == [
        "endpoint",
        "transcript",
        "first token",
        "first clause",
        "first audio",
        "voice to voice",
        "reply complete",
        "stopped after",
        "total",
    ]


@pytest.mark.usefixtures("_in_french")
def test_in_french() -> None:
    assert screen_text.header(model(OPENED, StateChanged(State.SPEAKING)), 60).plain.split() == [
        "PARLE",
        "●",
        "connecté",
        "SuperWhisper",
    ]
    assert lines_of(Entry(Who.PERSON, "Bonjour.")) == ["       toi  Bonjour."]
