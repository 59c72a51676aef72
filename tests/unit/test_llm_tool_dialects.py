"""services/llm/tool_dialects.py and tool_calls.py: calls in the text of replies."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.llm.chat_template import ChatTemplate
from services.llm.engine import ChatMessage, Role, Tool, ToolCall
from services.llm.tool_calls import CallReader, Part, dialect_of, make_call_id
from services.llm.tool_dialects import HERMES, LLAMA, MISTRAL, MISTRAL_NAMED, ToolDialect
from tests.support import chat_templates as source

SCHEMA = '{"type": "object", "properties": {"city": {"type": "string"}}}'
TOOLS = (Tool("weather", "The weather", SCHEMA), Tool("clock", "The time", '{"type": "object"}'))
NIMES = ToolCall("1", "weather", '{"city": "Nîmes"}')
CLOCK = ToolCall("2", "clock", "{}")
HERMES_CALL = '<tool_call>\n{"name": "weather", "arguments": {"city": "Nîmes"}}\n</tool_call>'


def reader(dialect: ToolDialect) -> CallReader:
    ids = iter(range(1, 100))
    return CallReader(dialect, TOOLS, lambda: str(next(ids)))


def read(dialect: ToolDialect, *portions: str) -> list[Part]:
    """The text, joined, and the calls."""
    calls = reader(dialect)
    parts: list[Part] = []
    for part in [part for portion in portions for part in calls.push(portion)] + calls.end():
        if isinstance(part, str) and parts and isinstance(parts[-1], str):
            parts[-1] += part
        else:
            parts.append(part)
    return parts


@pytest.mark.parametrize(
    ("dialect", "reply", "parts"),
    [
        (HERMES, HERMES_CALL, [NIMES]),
        (HERMES, "I look.\n" + HERMES_CALL, ["I look.\n", NIMES]),
        (HERMES, HERMES_CALL + '\n<tool_call>{"name":"clock","arguments":{}}</tool_call>\n', [NIMES, CLOCK]),
        (HERMES, HERMES_CALL.removesuffix("\n</tool_call>"), [NIMES]),
        (HERMES, HERMES_CALL.replace('{"city": "Nîmes"}', r'"{\"city\": \"N\u00eemes\"}"'), [NIMES]),
        (HERMES, HERMES_CALL + "<tool_response>It is 12 °C</tool_response>", [NIMES]),
        (HERMES, '{"name": "weather"}', ['{"name": "weather"}']),
        (HERMES, "if a <tool_box>", ["if a <tool_box>"]),
        (LLAMA, '{"name": "weather", "parameters": {"city": "Nîmes"}}', [NIMES]),
        (LLAMA, '\n{ "type": "function", "name": "weather", "parameters": {"city": "Nîmes"} }', [NIMES]),
        (LLAMA, '<|python_tag|>{"name": "weather", "parameters": {"city": "Nîmes"}}', [NIMES]),
        (LLAMA, 'Look: <|python_tag|>{"name": "weather", "parameters": {"city": "Nîmes"}}', ["Look: ", NIMES]),
        (LLAMA, '{"name": "weather", "parameters": {"city": "Nîmes"}}; and more', [NIMES]),
        (LLAMA, '{"na', ['{"na']),
        (LLAMA, '{"city": "Nîmes"}', ['{"city": "Nîmes"}']),
        (
            LLAMA,
            '{"type": "function", "function": {"name": "clock", "parameters": {}}}',
            [ToolCall("1", "clock", "{}")],
        ),
        (LLAMA, '{"name": "Nîmes"} <|python_tag|>{"name": "bomb"}', ['{"name": "Nîmes"} ']),
        (LLAMA, '{"name": "clock"}', [ToolCall("1", "clock", "{}")]),
        (LLAMA, '{"name": "Nîmes"} it is.', ['{"name": "Nîmes"} it is.']),
        (LLAMA, "{smile} Yes.", ["{smile} Yes."]),
        (LLAMA, '  Yes. {"name": "weather"}', ['  Yes. {"name": "weather"}']),
        (MISTRAL, '[TOOL_CALLS] [{"name": "weather", "arguments": {"city": "Nîmes"}}]', [NIMES]),
        (MISTRAL, '[TOOL_CALLS][{"name":"weather","arguments":{"city":"Nîmes"}},{"name":"clock"}]', [NIMES, CLOCK]),
        (MISTRAL, 'See [1]. [TOOL_CALLS]{"name": "weather", "arguments": {"city": "Nîmes"}}', ["See [1]. ", NIMES]),
        (MISTRAL_NAMED, '[TOOL_CALLS]weather{"city": "Nîmes"}[TOOL_CALLS]clock{}', [NIMES, CLOCK]),
        (MISTRAL_NAMED, '[TOOL_CALLS]weather[ARGS]{"city": "Nîmes"}', [NIMES]),
        (MISTRAL_NAMED, '[TOOL_CALLS] weather [CALL_ID]a1B2c3D4e[ARGS] {"city": "Nîmes"}', [NIMES]),
    ],
)
def test_calls_are_found_however_the_reply_is_cut(dialect: ToolDialect, reply: str, parts: list[Part]) -> None:
    assert read(dialect, reply) == parts
    assert read(dialect, *reply) == parts


@pytest.mark.parametrize(
    "call",
    [
        '{"name": "bomb", "arguments": {}}',
        '{"arguments": {}}',
        '{"name": 7}',
        '{"name": "weather", "arguments": [1]}',
        '{"name": "weather", "arguments": "Nîmes"}',
        '{"name": "weather", "arguments": {"city": NaN}}',
        '{"name": "weather", "arguments": {"city": 1e999}}',
        r'{"name": "weather", "arguments": {"city": "\ud800"}}',
        '{"name": "weather", "arguments": {"city": "Nîm',
        '{"name": weather}',
        "",
        "[]",
        "weather please",
        "[" * 40_000,
        '{"name": "' + "w" * 40_000,
    ],
)
def test_what_cannot_be_read_is_neither_shown_nor_called(call: str) -> None:
    calls = reader(HERMES)
    parts = [*calls.push("Well. <tool_call>"), *calls.push(call), *calls.push("\n</tool_call>"), *calls.end()]
    assert parts == ["Well. "]
    assert calls.has_failed
    assert not calls.has_called


def test_one_good_call_is_enough() -> None:
    calls = reader(HERMES)
    parts = [*calls.push(HERMES_CALL), *calls.push('<tool_call>{"name": "bomb"}</tool_call>'), *calls.end()]
    assert parts == [NIMES]
    assert calls.has_called


def test_a_call_is_given_as_soon_as_it_is_complete() -> None:
    calls = reader(HERMES)
    assert calls.push(HERMES_CALL[:-20]) == []
    assert calls.push(HERMES_CALL[-20:].partition("\n")[0]) == [NIMES]


def test_what_cannot_begin_a_call_is_given_at_once() -> None:
    hermes, llama = reader(HERMES), reader(LLAMA)
    assert [hermes.push(portion) for portion in ("{", "a < ", "b <t", "x", "<tool_")] == [
        ["{"],
        ["a < "],
        ["b "],
        ["<tx"],
        [],
    ]
    assert [llama.push(portion) for portion in (" ", '{"', "na", "val", '{"name"')] == [
        [],
        [],
        [],
        [' {"naval'],
        ['{"name"'],
    ]


def test_after_calls_nothing_else_counts() -> None:
    calls = reader(HERMES)
    completes = []
    for portion in (HERMES_CALL, "\n", "It is ", "sunny. ", HERMES_CALL):
        parts = calls.push(portion)
        completes.append((len(parts), calls.is_complete))
    assert completes == [(1, False), (0, False), (0, True), (0, True), (0, True)]
    assert calls.end() == []


def test_a_call_without_end_is_not_waited_for() -> None:
    calls = reader(HERMES)
    calls.push('<tool_call>{"name": "' + "w" * 40_000)
    assert calls.is_complete
    assert calls.has_failed


def test_llamas_only_call_ends_the_reply() -> None:
    calls = reader(LLAMA)
    calls.push('{"name": "clock", "parameters": {}}')
    assert calls.is_complete


def test_identifiers_differ() -> None:
    assert len({make_call_id() for _ in range(100)}) == 100
    assert make_call_id().startswith("call_")


@pytest.mark.parametrize(
    ("written", "dialect"),
    [
        ('\n<tool_call>\n{"arguments": {"city": "Nîmes"}, "name": "weather"}\n</tool_call><|im_end|>', HERMES),
        ('{"name": "weather", "parameters": {"city": "Nîmes"}}<|eot_id|>', LLAMA),
        ('<|python_tag|>{"name": "weather", "parameters": {"city": "Nîmes"}}', LLAMA),
        ('[TOOL_CALLS][{"name": "weather", "arguments": {"city": "Nîmes"}, "id": "123456789"}]</s>', MISTRAL),
        ('[TOOL_CALLS]weather{"city": "Nîmes"}</s>', MISTRAL_NAMED),
        ('[TOOL_CALLS] weather[CALL_ID]123456789[ARGS]{"city": "Nîmes"}</s>', MISTRAL_NAMED),
        ("<tool_call>\n<function=weather>\n<parameter=city>Nîmes</parameter>\n</function>\n</tool_call>", None),
        ('<｜tool▁call▁begin｜>weather\n{"city": "Nîmes"}<｜tool▁call▁end｜>', None),
        ('<tool_calls>[{"name": "weather", "arguments": {"city": "Nîmes"}}]</tool_calls>', None),
        ('I look. <tool_call>\n{"name": "weather", "arguments": {"city": "Nîmes"}}\n</tool_call>', None),
        ('<tool_call>\n{"name": "weather", "arguments": {"city": "Arles"}}\n</tool_call>', None),
        ("", None),
    ],
)
def test_a_dialect_is_told_by_how_a_call_is_written(written: str, dialect: ToolDialect | None) -> None:
    assert dialect_of(written, NIMES) == dialect


@pytest.mark.parametrize("name", ["Qwen 2.5", "Qwen 3", "Llama 3.1", "Mistral", "Mistral, newer"])
def test_what_a_template_writes_of_a_call_is_read_back(name: str) -> None:
    call = ToolCall("1", "weather", json.dumps({"city": 'Nîmes "centre"', "days": [1, 2]}, ensure_ascii=False))
    template = ChatTemplate(source.ALL[name], "<s>", "</s>")
    question = ChatMessage(Role.USER, "?")
    asked = template.render([question], TOOLS).removesuffix("<think>\n\n</think>\n\n")
    written = template.render([question, ChatMessage(Role.ASSISTANT, "", tool_calls=(call,))], TOOLS)
    assert written.startswith(asked.rstrip("\n"))
    assert template.dialect is not None
    found = read(template.dialect, written[len(asked.rstrip("\n")) :].lstrip("\n"))
    assert found == [call]


_PARTS = [
    "<tool_call>",
    "</tool_call>",
    HERMES_CALL,
    "[TOOL_CALLS]",
    '{"name":',
    '"clock"',
    "}",
    "{",
    "[",
    "ARGS]",
    " ",
]
_REPLIES = st.lists(st.sampled_from([*_PARTS, "weather{}", "<|python_tag|>", "yes", "<", "é"]), max_size=12).map(
    "".join
)


@given(st.sampled_from([HERMES, LLAMA, MISTRAL, MISTRAL_NAMED]), _REPLIES, st.lists(st.integers(0, 300), max_size=20))
def test_however_a_reply_is_cut_the_same_is_found(dialect: ToolDialect, reply: str, cuts: list[int]) -> None:
    places = [0, *sorted(cut % (len(reply) + 1) for cut in cuts), len(reply)]
    portions = [reply[start:end] for start, end in pairwise(places)]
    assert read(dialect, *portions) == read(dialect, reply) == read(dialect, *reply)
