"""What is remembered, and that the mind takes whatever the history makes of it."""

from services.common.settings import load
from services.llm import wire
from services.llm.config import LlmSettings
from services.orchestrator.clients import to_messages
from services.orchestrator.history import History, HistoryLimits
from services.orchestrator.ports import Line, Speaker
from superwhisper.llm.v1 import llm_pb2


def test_the_oldest_turns_are_forgotten_first() -> None:
    history = History("Be brief.", HistoryLimits(turns=2, characters=1000))
    for number in range(3):
        history.add(f"question {number}", f"answer {number}")
    assert [line.text for line in history.prompt("and now?")] == [
        "Be brief.",
        "question 1",
        "answer 1",
        "question 2",
        "answer 2",
        "and now?",
    ]


def test_long_turns_are_forgotten_sooner() -> None:
    history = History("", HistoryLimits(turns=50, characters=1000))
    for number in range(10):
        history.add(str(number) * 200, "x" * 200)
    assert [line.text[0] for line in history.prompt("!") if line.speaker is Speaker.USER] == ["8", "9", "!"]


def test_what_was_not_heard_is_no_line() -> None:
    history = History("", HistoryLimits(turns=50, characters=1000))
    history.add("hello", " \n")
    assert history.prompt("again") == [Line(Speaker.USER, "hello"), Line(Speaker.USER, "again")]


def test_a_full_history_is_no_longer_than_the_mind_takes() -> None:
    section = load(LlmSettings).llm
    history = History("Be brief.", HistoryLimits(turns=50, characters=4000))
    for _ in range(60):
        history.add("why", "because")
    lines = history.prompt("and now?")
    assert len(lines) == 102
    request = llm_pb2.GenerateRequest(messages=to_messages(lines))
    assert len(wire.read_request(request, section).messages) == 102
