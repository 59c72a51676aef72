"""What is remembered, and that the mind takes whatever the history makes of it."""

from itertools import pairwise

from services.common.settings import load
from services.llm import wire
from services.llm.config import LlmSettings
from services.orchestrator.clients import to_messages
from services.orchestrator.history import Exchange, History, HistoryLimits
from services.orchestrator.ports import Line, Speaker
from superwhisper.llm.v1 import llm_pb2

LIMITS = HistoryLimits(turns=50, characters=1000)


def questions(history: History) -> list[str]:
    return [line.text for line in history.prompt("now?", "") if line.speaker is Speaker.USER]


def test_the_oldest_turns_are_forgotten_first() -> None:
    history = History(HistoryLimits(turns=4, characters=1000))
    for number in range(5):
        history.add(Exchange(f"question {number}", f"answer {number}"))
    lines = history.prompt("now?", "Be brief.")
    assert [line.text for line in lines[:3]] == ["Be brief.", "question 2", "answer 2"]
    assert questions(history) == ["question 2", "question 3", "question 4", "now?"]


def test_long_turns_are_forgotten_sooner() -> None:
    history = History(LIMITS)
    for number in range(10):
        history.add(Exchange(str(number) * 100, "x" * 100))
    assert [question[0] for question in questions(history)] == ["6", "7", "8", "9", "n"]


def test_the_last_turn_is_remembered_however_long_it_was() -> None:
    history = History(HistoryLimits(turns=50, characters=100))
    history.add(Exchange("short", "y"))
    history.add(Exchange("x" * 101, "y"))
    assert [len(question) for question in questions(history)] == [101, 4]


def test_the_beginning_seldom_changes() -> None:
    """What a mind has read stays good as long as the conversation begins alike."""
    history = History(HistoryLimits(turns=20, characters=10_000))
    beginnings = []
    for number in range(100):
        history.add(Exchange(f"question {number}", "answer"))
        beginnings.append(questions(history)[0])
    changes = sum(one != other for one, other in pairwise(beginnings))
    assert changes == 14  # once in six turns, after the first twenty


def test_what_was_said_before_the_assistant_got_a_word_in_is_one_line_with_what_followed() -> None:
    history = History(LIMITS, [Exchange("what is the weather", ""), Exchange("in Paris", "")])
    assert history.prompt("tomorrow", "") == [Line(Speaker.USER, "what is the weather in Paris tomorrow")]


def test_a_reply_that_was_cut_off_is_shown_as_far_as_it_was_heard_and_noted_in_the_next_line() -> None:
    history = History(LIMITS, [Exchange("tell me a story", "Once upon", "(You were interrupted.)")])
    assert history.prompt("a shorter one", "") == [
        Line(Speaker.USER, "tell me a story"),
        Line(Speaker.ASSISTANT, "Once upon"),
        Line(Speaker.USER, "(You were interrupted.) a shorter one"),
    ]


def test_the_prompt_of_a_later_turn_begins_with_the_one_before() -> None:
    """Else the mind would read all of it anew."""
    history = History(LIMITS, [Exchange("one", "Uno", "(interrupted)"), Exchange("two", "", "")])
    before = history.prompt("three", "Be brief.")
    history.add(Exchange("three", "Tres"))
    assert history.prompt("four", "Be brief.")[: len(before)] == before


def test_a_full_history_is_no_longer_than_the_mind_takes() -> None:
    section = load(LlmSettings).llm
    history = History(HistoryLimits(turns=50, characters=4000))
    for _ in range(50):
        history.add(Exchange("why", "because"))
    lines = history.prompt("and now?", "Be brief.")
    assert len(lines) == 102
    request = llm_pb2.GenerateRequest(messages=to_messages(lines))
    assert len(wire.read_request(request, section).messages) == 102
