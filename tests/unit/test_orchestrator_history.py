"""What is remembered, and that the mind takes whatever the history makes of it."""

from itertools import pairwise

from services.common.settings import load
from services.llm import wire
from services.llm.config import LlmSettings
from services.orchestrator.clients import to_messages
from services.orchestrator.history import History, HistoryLimits
from services.orchestrator.ports import Line, Speaker
from superwhisper.llm.v1 import llm_pb2


def questions(history: History) -> list[str]:
    return [line.text for line in history.prompt("now?") if line.speaker is Speaker.USER]


def test_the_oldest_turns_are_forgotten_first() -> None:
    history = History("Be brief.", HistoryLimits(turns=4, characters=1000))
    for number in range(5):
        history.add(f"question {number}", f"answer {number}")
    lines = history.prompt("now?")
    assert [line.text for line in lines[:3]] == ["Be brief.", "question 2", "answer 2"]
    assert questions(history) == ["question 2", "question 3", "question 4", "now?"]


def test_long_turns_are_forgotten_sooner() -> None:
    history = History("", HistoryLimits(turns=50, characters=1000))
    for number in range(10):
        history.add(str(number) * 100, "x" * 100)
    assert [question[0] for question in questions(history)] == ["6", "7", "8", "9", "n"]


def test_a_turn_longer_than_all_that_is_remembered_is_forgotten() -> None:
    history = History("", HistoryLimits(turns=50, characters=100))
    history.add("x" * 101, "y")
    assert questions(history) == ["now?"]


def test_the_beginning_seldom_changes() -> None:
    """What a mind has read stays good as long as the conversation begins alike."""
    history = History("", HistoryLimits(turns=20, characters=10_000))
    beginnings = []
    for number in range(100):
        history.add(f"question {number}", "answer")
        beginnings.append(questions(history)[0])
    changes = sum(one != other for one, other in pairwise(beginnings))
    assert changes == 14  # once in six turns, after the first twenty


def test_what_was_not_heard_is_no_line() -> None:
    history = History("", HistoryLimits(turns=50, characters=1000))
    history.add("hello", " \n")
    assert history.prompt("again") == [Line(Speaker.USER, "hello"), Line(Speaker.USER, "again")]


def test_a_full_history_is_no_longer_than_the_mind_takes() -> None:
    section = load(LlmSettings).llm
    history = History("Be brief.", HistoryLimits(turns=50, characters=4000))
    for _ in range(50):
        history.add("why", "because")
    lines = history.prompt("and now?")
    assert len(lines) == 102
    request = llm_pb2.GenerateRequest(messages=to_messages(lines))
    assert len(wire.read_request(request, section).messages) == 102
