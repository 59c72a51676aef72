"""services/llm/reply_reader.py: from the bytes of tokens to events."""

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.common.errors import UnusableAnswerError
from services.llm.engine import AtWork, ReplyEvent, TextDelta, Tool, ToolCall
from services.llm.reply_reader import ReplyReader
from services.llm.tool_dialects import HERMES, LLAMA, ToolDialect

TOOLS = (Tool("clock", "The time", '{"type": "object"}'),)
CALL = '<tool_call>{"name": "clock", "arguments": {}}</tool_call>'
CLOCK = ToolCall("1", "clock", "{}")


def reader(*stop: str, thinking: bool = False, dialect: ToolDialect = HERMES) -> ReplyReader:
    return ReplyReader(stop, thinking=thinking, dialect=dialect, tools=TOOLS, make_id=lambda: "1")


def read(of: ReplyReader, *pieces: bytes, cut: bool = False) -> list[ReplyEvent]:
    return [event for piece in pieces for event in of.push(piece)] + of.end(cut)


def joined(events: list[ReplyEvent]) -> list[ReplyEvent]:
    """With neighbouring texts as one and without the signs of life, whose number depends on the pieces."""
    whole: list[ReplyEvent] = []
    for event in events:
        if isinstance(event, TextDelta):
            assert event.text
            if whole and isinstance(last := whole[-1], TextDelta):
                whole[-1] = TextDelta(last.text + event.text)
            else:
                whole.append(event)
        elif not isinstance(event, AtWork):
            whole.append(event)
    return whole


def test_a_character_comes_whole_or_not_at_all() -> None:
    party = "🎉".encode()
    pieces = [party[:1], party[1:3], party[3:] + b"!"]
    of = ReplyReader()
    assert [of.push(piece) for piece in pieces] == [[AtWork()], [AtWork()], [TextDelta("🎉!")]]


def test_half_a_character_at_the_end_stays_out() -> None:
    assert joined(read(ReplyReader(), b"caf", "é".encode()[:1])) == [TextDelta("caf")]


def test_bytes_that_are_no_character_are_left_out() -> None:
    assert joined(read(ReplyReader(), b"a\xff\xfeb", b"\x80c")) == [TextDelta("abc")]


def test_reasoning_is_a_sign_of_life_and_nothing_else() -> None:
    of = reader(thinking=True)
    assert [of.push(piece) for piece in (b"Hm", b"m.</th", b"ink>\n\n", b"Yes.")] == [
        [AtWork()],
        [AtWork()],
        [AtWork()],
        [TextDelta("Yes.")],
    ]


def test_text_calls_and_reasoning_together() -> None:
    reply = f"<think>The time? {CALL}</think>I look. {CALL}"
    assert joined(read(reader(), reply.encode())) == [TextDelta("I look. "), CLOCK]


def test_without_a_dialect_no_call_is_looked_for() -> None:
    assert read(ReplyReader(tools=TOOLS), CALL.encode()) == [TextDelta(CALL)]


@pytest.mark.parametrize(
    ("dialect", "piece"),
    [(HERMES, b"<tool_c"), (HERMES, b"<think"), (HERMES, f"<tool_call>{'x' * 50}".encode()), (LLAMA, b'{"name": "clo')],
)
def test_what_shows_nothing_yet_is_a_sign_of_life(dialect: ToolDialect, piece: bytes) -> None:
    assert reader(dialect=dialect).push(piece) == [AtWork()]


def test_what_says_nothing_at_all_is_no_sign_of_life() -> None:
    assert reader().push(b"") == []


@pytest.mark.parametrize("piecewise", [False, True])
@pytest.mark.parametrize("dialect", [HERMES, LLAMA])
def test_marks_inside_of_a_call_are_content(dialect: ToolDialect, piecewise: bool) -> None:
    before, between, after = dialect.frame
    content = f'<think>Hm.</think>{before}clock{between}{{"at": "<think>12</think>"}}{after}'.encode()
    pieces = [content[at : at + 1] for at in range(len(content))] if piecewise else [content]
    assert joined(read(reader(dialect=dialect), *pieces)) == [ToolCall("1", "clock", '{"at": "<think>12</think>"}')]


@pytest.mark.parametrize("text", ['{"use": "<think> tags"}', CALL, '{"name": "clock", "parameters": {}}'])
def test_in_a_prescribed_form_every_mark_is_content(text: str) -> None:
    for dialect in (HERMES, LLAMA):
        of = ReplyReader(filters_thinking=False, dialect=dialect)
        assert joined(read(of, text[:9].encode(), text[9:].encode())) == [TextDelta(text)]


def test_a_call_that_is_prescribed_is_read() -> None:
    of = ReplyReader(filters_thinking=False, dialect=HERMES, tools=TOOLS, make_id=lambda: "1")
    assert read(of, CALL.encode()) == [CLOCK]


@pytest.mark.parametrize(
    ("dialect", "call"), [(HERMES, CALL), (LLAMA, '{"name": "clock", "parameters": {}}'), (HERMES, "<tool_call>?")]
)
def test_where_no_tool_may_be_called_calls_are_dropped(dialect: ToolDialect, call: str) -> None:
    of = ReplyReader(dialect=dialect)
    with pytest.raises(UnusableAnswerError, match="may not call"):
        read(of, call.encode())
    assert not of.has_called


def test_where_no_tool_may_be_called_what_is_said_beside_is_enough() -> None:
    of = ReplyReader(dialect=HERMES)
    assert read(of, b"It is noon. ", CALL.encode()) == [TextDelta("It is noon. "), AtWork()]
    assert not of.has_called


@pytest.mark.parametrize(
    "answer", ['{"name": "Paris", "people": 2100000}', '{"name": ["clock"]}', '{"type": "city"}', '{"function": 1}']
)
@pytest.mark.parametrize("tools", [TOOLS, ()])
def test_json_that_names_no_tool_is_an_answer(answer: str, tools: tuple[Tool, ...]) -> None:
    assert joined(read(ReplyReader(dialect=LLAMA, tools=tools), answer.encode())) == [TextDelta(answer)]


@pytest.mark.parametrize("call", ['{"name": "bomb", "parameters": {}}', '{"name": "clock", "parameters": [1]}'])
def test_json_that_is_a_broken_call_is_none(call: str) -> None:
    with pytest.raises(UnusableAnswerError):
        read(reader(dialect=LLAMA), call.encode())


def test_a_stop_sequence_ends_the_reply() -> None:
    of = reader("\n")
    assert of.push(b"One.\nTwo.") == [TextDelta("One.")]
    assert of.is_stopped
    assert of.push(CALL.encode()) == of.end() == []
    assert not of.has_called


def test_a_call_behind_a_stop_sequence_is_none() -> None:
    of = reader("\n")
    assert read(of, f"One.\n{CALL}".encode()) == [TextDelta("One.")]
    assert not of.has_called


def test_stop_sequences_count_only_in_what_is_shown() -> None:
    reply = '<think>a\nb</think>Yes. <tool_call>\n{"name": "clock",\n"arguments": {}}\n</tool_call>'
    of = reader("\n", "</")
    assert joined(read(of, reply.encode())) == [TextDelta("Yes. "), CLOCK]


def test_what_may_be_a_stop_sequence_is_shown_before_a_call() -> None:
    assert joined(read(reader("##"), b"Look #", CALL.encode())) == [TextDelta("Look #"), CLOCK]


def test_what_follows_a_call_ends_the_reply() -> None:
    of = reader()
    assert of.push(CALL.encode()) == [CLOCK]
    assert of.has_called
    assert of.push(b" So it is noon.") == [AtWork()]
    assert of.is_stopped
    assert of.push(b" Noon!") == []
    assert of.end() == []


def test_a_single_call_ends_the_reply_by_itself() -> None:
    of = ReplyReader(dialect=LLAMA, tools=TOOLS)
    of.push(b'{"name": "clock", "parameters": {}}')
    assert of.is_stopped
    assert of.has_called


@pytest.mark.parametrize("call", ['{"name": "bomb"}</tool_call>', '{"name": "clock", "arg', ""])
def test_a_reply_whose_only_call_cannot_be_read_has_failed(call: str) -> None:
    of = reader()
    assert of.push(f"I look. <tool_call>{call}".encode()) == [TextDelta("I look. ")]
    with pytest.raises(UnusableAnswerError, match="no readable way"):
        of.end()


@pytest.mark.parametrize(
    ("dialect", "rest"),
    [(HERMES, "<tool_c"), (HERMES, "<thi"), (HERMES, '<tool_call>\n{"name": "clo'), (LLAMA, "<|python_tag|>{")],
)
def test_a_call_that_is_cut_off_is_dropped(dialect: ToolDialect, rest: str) -> None:
    of = reader(dialect=dialect)
    assert joined(read(of, b"I look. ", rest.encode(), cut=True)) == [TextDelta("I look. ")]
    assert not of.has_called


@pytest.mark.parametrize("rest", ['{"na', '{"name": "clock", "para'])
def test_a_call_without_a_mark_that_is_cut_off_is_dropped(rest: str) -> None:
    assert joined(read(reader(dialect=LLAMA), rest.encode(), cut=True)) == []


def test_a_call_that_came_before_the_cut_stays_one() -> None:
    of = reader()
    assert joined(read(of, CALL.encode(), b'<tool_call>{"name": "cl', cut=True)) == [CLOCK]
    assert of.has_called


def test_a_call_of_no_tool_before_the_cut_is_still_no_use() -> None:
    with pytest.raises(UnusableAnswerError):
        read(reader(), b'<tool_call>{"name": "bomb"}</tool_call>', cut=True)


def test_what_may_be_a_stop_sequence_is_shown_where_the_reply_is_cut() -> None:
    assert joined(read(reader("##"), b"a #", cut=True)) == [TextDelta("a #")]


def test_one_call_that_can_be_read_is_enough() -> None:
    assert read(reader(), (CALL + '<tool_call>{"name": "bomb"}').encode()) == [CLOCK]


def test_what_was_held_back_is_shown_at_the_end() -> None:
    assert joined(read(reader("##"), b"a #")) == [TextDelta("a #")]
    assert joined(read(reader(), b"a <thi")) == [TextDelta("a <thi")]
    assert joined(read(reader(), b"a <tool_c")) == [TextDelta("a <tool_c")]


_PARTS = st.sampled_from(
    ["<think>", "</think>", "secret", CALL, "<tool_call>", "STOP", "ST", "yes ", "é", "🎉", "<", "\n", '{"name"']
)
_REPLIES = st.lists(_PARTS, max_size=12).map("".join)
_CUTS = st.lists(st.integers(0, 400), max_size=30)


def outcome(reply: bytes, cuts: list[int], dialect: ToolDialect = HERMES) -> list[ReplyEvent] | str:
    places = [0, *sorted(cut % (len(reply) + 1) for cut in cuts), len(reply)]
    try:
        return joined(read(reader("STOP", dialect=dialect), *(reply[start:end] for start, end in pairwise(places))))
    except UnusableAnswerError as error:
        return error.message


@given(_REPLIES, _CUTS, st.sampled_from([HERMES, LLAMA]))
@example('{"name": "clock", "parameters": {"a": "<think>"}}<think>', [], LLAMA)
@example('<tool_call>{"name": "clock", "arguments": {"a": "<think>"}}<think></think><tool_call>', [], HERMES)
def test_however_a_reply_is_cut_the_same_comes_of_it(reply: str, cuts: list[int], dialect: ToolDialect) -> None:
    content = reply.encode()
    whole = outcome(content, [], dialect)
    assert outcome(content, cuts, dialect) == whole == outcome(content, list(range(len(content))), dialect)


@given(_REPLIES, _CUTS)
def test_nothing_of_reasoning_or_calls_is_ever_shown(reply: str, cuts: list[int]) -> None:
    if "secret" in reply:
        reply = reply.replace("secret", "<think>secret</think>")
    found = outcome(reply.encode(), cuts)
    shown = "".join(event.text for event in found if isinstance(event, TextDelta))
    assert "secret" not in shown
    assert "think>" not in shown
    assert "clock" not in shown
    assert "STOP" not in shown


@given(st.text(alphabet="aé🎉 .,>}])", min_size=1), _CUTS)
def test_what_cannot_be_the_start_of_anything_is_out_at_once(reply: str, cuts: list[int]) -> None:
    of = reader("STOP")
    places = [0, *sorted(cut % (len(reply) + 1) for cut in cuts), len(reply)]
    for start, end in pairwise(places):
        expected = [TextDelta(reply[start:end])] if start < end else []
        assert of.push(reply[start:end].encode()) == expected
