"""A streamed completion, from the bytes to the events of a reply, however the bytes are cut."""

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.errors import EngineFailedError, UnusableAnswerError
from services.llm.engine import (
    AtWork,
    Finished,
    FinishReason,
    Generation,
    JsonFormat,
    ReplyEvent,
    TextDelta,
    Tool,
    ToolCall,
    ToolChoice,
    Usage,
)
from services.llm.openai_stream import CompletionReader
from services.llm.sse import SseReader
from tests.fakes.openai_server import DONE, calls, delta, ends, event, says, used
from tests.support.llm import generation

PLAIN = generation("Hello")
CALLING = replace(PLAIN, tools=(Tool("get_weather", "w", "{}"), Tool("get_time", "t", "{}")))
REQUIRED = replace(CALLING, tool_choice=ToolChoice.REQUIRED)


def read(*chunks: bytes, request: Generation = PLAIN) -> list[ReplyEvent]:
    """All the events of a whole reply."""
    lines, reply = SseReader(), CompletionReader(request, make_id=lambda: "made")
    data = [piece for chunk in chunks for piece in lines.push(chunk)] + lines.end()
    return [event for piece in data for event in reply.read(piece)] + reply.end()


def shown(*chunks: bytes, request: Generation = CALLING) -> list[ReplyEvent]:
    """Those of them that are more than a sign of life."""
    return [event for event in read(*chunks, request=request) if event != AtWork()]


def text_of(events: Sequence[ReplyEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def cut(whole: bytes, sizes: Sequence[int]) -> list[bytes]:
    pieces = []
    for size in sizes:
        pieces.append(whole[:size])
        whole = whole[size:]
    return [*pieces, whole]


def test_a_reply_is_its_text_and_the_servers_count() -> None:
    reply = read(delta(role="assistant", content=""), says("Hel"), says("lo."), ends("stop"), used(9, 3, 4), DONE)
    assert reply == [TextDelta("Hel"), TextDelta("lo."), Finished(FinishReason.STOP, Usage(9, 4, 3))]


def test_without_the_servers_count_its_deltas_are_counted() -> None:
    assert read(says("a"), says("b"), ends("stop"))[-1] == Finished(FinishReason.STOP, Usage(completion_tokens=2))


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"prompt_tokens": 5, "completion_tokens": 2}, Usage(5, 0, 2)),
        ({"prompt_tokens": 5, "prompt_tokens_details": {"cached_tokens": 9}}, Usage(5, 5, 0)),
        ({"prompt_tokens": -5, "completion_tokens": "two", "prompt_tokens_details": 3}, Usage()),
        ({"prompt_tokens": 2**40, "completion_tokens": None}, Usage()),
    ],
)
def test_a_count_that_is_none_is_left_out(usage: dict[str, object], expected: Usage) -> None:
    assert read(event({"choices": [], "usage": usage}), DONE) == [Finished(FinishReason.STOP, expected)]


@given(sizes=st.lists(st.integers(0, 40), max_size=60))
def test_it_does_not_matter_how_the_bytes_are_cut(sizes: list[int]) -> None:
    raw = 'data: {"choices": [{"delta": {"content": "Où ça 🎉 ?"}}]}\r\n\r\n'.encode()
    whole = b": ping\n\n" + raw + says(" fin") + ends("length") + DONE
    assert read(*cut(whole, sizes)) == read(whole)
    assert text_of(read(whole)) == "Où ça 🎉 ? fin"


def test_the_last_line_needs_no_end() -> None:
    assert text_of(read(says("a") + b"data:[DONE]")) == "a"


def test_a_character_may_come_in_two_halves() -> None:
    halves = [b'data: {"choices":[{"delta":{"content":"%s"}}]}\n' % half for half in (b"a\\ud83c", b"\\udf89b")]
    events = read(*halves, DONE)
    assert [event.text for event in events if isinstance(event, TextDelta)] == ["a", "🎉b"]


@pytest.mark.parametrize("broken", [b"a\\ud83cb", b"a\\udf89b", b"\\ud83c\\ud83cab", b"ab\\ud83c"])
def test_half_a_character_is_left_out(broken: bytes) -> None:
    text = text_of(read(b'data: {"choices":[{"delta":{"content":"%s"}}]}\n' % broken, DONE))
    assert text.encode().decode() == "ab"


def test_reasoning_is_not_text() -> None:
    reply = read(delta(reasoning_content="Hm"), delta(reasoning="Hm"), says("<th"), says("ink>no</think>Yes"), DONE)
    assert text_of(reply) == "Yes"
    assert reply.count(AtWork()) == 3
    assert reply[-1] == Finished(FinishReason.STOP, Usage(completion_tokens=4))


def test_what_looks_like_reasoning_is_content_where_the_reply_has_a_format() -> None:
    json_wanted = replace(PLAIN, format=JsonFormat('{"type": "string"}'))
    reply = read(says('"<thi'), says('nk>"'), ends("stop"), request=json_wanted)
    assert reply[:2] == [TextDelta('"<thi'), TextDelta('nk>"')]


def test_whatever_is_written_and_not_shown_is_a_sign_of_life() -> None:
    reply = CompletionReader(CALLING)
    hidden = [delta(reasoning="Hm"), says("<th"), says("ink>"), says("no"), delta(), calls(0, "c", "get_time", "{")]
    for chunk in hidden:
        assert reply.read(*SseReader().push(chunk)) == [AtWork()]


def test_before_the_model_writes_there_is_no_sign_of_life() -> None:
    """Else the limit to the first text would be over while the server still reads the prompt."""
    reply = CompletionReader(PLAIN)
    for chunk in (delta(role="assistant", content=""), delta(), used(9, 0)):
        assert reply.read(*SseReader().push(chunk)) == []


def test_what_only_looks_like_reasoning_is_said_at_the_end() -> None:
    assert text_of(read(says("1 <th"), ends("stop"))) == "1 <th"


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("stop", FinishReason.STOP),
        ("length", FinishReason.LENGTH),
        ("eos_token", FinishReason.STOP),
        ("content_filter", FinishReason.STOP),
    ],
)
def test_the_reason_is_the_servers(reason: str, expected: FinishReason) -> None:
    end = read(says("a"), ends(reason))[-1]
    assert isinstance(end, Finished)
    assert end.reason is expected


def test_a_call_is_put_together() -> None:
    reply = shown(
        says("Let me look."),
        calls(0, "c1", "get_weather", '{"to'),
        calls(0, None, None, 'wn": "Évry"}'),
        calls(1, "c2", "get_time"),
        ends("tool_calls"),
        used(1, 1),
        DONE,
    )
    assert reply == [
        TextDelta("Let me look."),
        ToolCall("c1", "get_weather", '{"town": "Évry"}'),
        ToolCall("c2", "get_time", "{}"),
        Finished(FinishReason.TOOL_CALLS, Usage(1, 0, 1)),
    ]


@pytest.mark.parametrize(
    "fragments",
    [
        [calls(0, "c1", "get_weather", "{}"), calls(0, "c2", "get_time", "{}")],  # all with the index 0
        [calls(None, "c1", "get_weather", "{}"), calls(None, "c2", "get_time", "{}")],
        [calls(0, "c1", "get_weather", "{"), calls(1, "c2", "get_time", "{}"), calls(0, "c1", "get_weather", "}")],
    ],
)
def test_calls_are_read_as_the_servers_write_them(fragments: list[bytes]) -> None:
    reply = read(*fragments, ends("stop"), request=CALLING)
    assert [event.name for event in reply if isinstance(event, ToolCall)] == ["get_weather", "get_time"]
    assert reply[-1] == Finished(FinishReason.TOOL_CALLS, Usage())


def test_arguments_may_be_an_object() -> None:
    reply = shown(calls(0, "c1", "get_weather", {"town": "Évry"}), DONE)
    assert reply[0] == ToolCall("c1", "get_weather", '{"town": "Évry"}')


def test_calls_without_a_name_of_their_own_are_given_one() -> None:
    reply = shown(calls(None, None, "get_time", "{}"), calls(None, None, "get_time", "{}"), DONE)
    assert reply[:2] == [ToolCall("made", "get_time", "{}")] * 2


@pytest.mark.parametrize("arguments", ["{", "[]", "7", '{"a": NaN}', "[" * 100_000, "{}{}"])
def test_arguments_that_are_no_object_are_of_no_use(arguments: str) -> None:
    with pytest.raises(UnusableAnswerError, match="cannot be read"):
        read(calls(0, "c", "get_time", arguments), ends("tool_calls"), request=CALLING)


def test_a_tool_that_there_is_not_is_of_no_use() -> None:
    with pytest.raises(UnusableAnswerError, match="cannot be read"):
        read(calls(0, "c", "delete_all", "{}"), ends("tool_calls"), request=CALLING)
    forbidden = replace(CALLING, tool_choice=ToolChoice.NONE)
    with pytest.raises(UnusableAnswerError, match="cannot be read"):
        read(calls(0, "c", "get_time", "{}"), ends("tool_calls"), request=forbidden)


def test_a_call_that_is_announced_must_come() -> None:
    with pytest.raises(UnusableAnswerError, match="speaks of a tool call"):
        read(says("Let me look."), ends("tool_calls"), request=CALLING)


@pytest.mark.parametrize("request_", [CALLING, REQUIRED])
@pytest.mark.parametrize("arguments", ["", '{"zo', '{"zone": "fr"'])
def test_a_call_cut_off_by_the_length_is_left_out(request_: Generation, arguments: str) -> None:
    reply = shown(says("a"), calls(0, "c", "get_time", arguments), ends("length"), request=request_)
    assert reply == [TextDelta("a"), Finished(FinishReason.LENGTH, Usage(completion_tokens=1))]


def test_only_the_last_call_can_be_cut_off() -> None:
    whole, cut_ = calls(0, "c1", "get_weather", "{}"), calls(1, "c2", "get_time", "{")
    reply = shown(whole, cut_, ends("length"))
    assert reply == [ToolCall("c1", "get_weather", "{}"), Finished(FinishReason.TOOL_CALLS)]
    with pytest.raises(UnusableAnswerError, match="cannot be read"):
        read(calls(0, "c1", "get_weather", "{"), calls(1, "c2", "get_time", "{}"), ends("length"), request=CALLING)


def test_without_the_call_that_was_asked_for_nothing_gets_out() -> None:
    reply = CompletionReader(REQUIRED)
    for chunk in (says("I would "), says("rather talk.")):
        assert reply.read(*SseReader().push(chunk)) == [AtWork()]
    assert reply.read(*SseReader().push(ends("stop"))) == []
    with pytest.raises(UnusableAnswerError, match="called no tool"):
        reply.end()


def test_what_is_said_before_the_call_that_was_asked_for_comes_with_it() -> None:
    reply = shown(says("Let me look."), calls(0, "c", "get_time"), ends("stop"), request=REQUIRED)
    assert reply[:2] == [TextDelta("Let me look."), ToolCall("c", "get_time", "{}")]


def test_a_call_that_was_asked_for_may_not_fit() -> None:
    reasoned = shown(delta(reasoning="Hm"), ends("length"), request=REQUIRED)
    assert reasoned == [Finished(FinishReason.LENGTH, Usage(completion_tokens=1))]
    with pytest.raises(UnusableAnswerError, match="called no tool"):
        read(says("I would rather talk, and"), ends("length"), request=REQUIRED)


def test_what_is_held_back_is_bounded() -> None:
    with pytest.raises(UnusableAnswerError, match="on and on"):
        read(*[says("word " * 1000)] * 10, request=REQUIRED)


def test_endless_calls_are_of_no_use() -> None:
    with pytest.raises(UnusableAnswerError, match="more than 64"):
        read(*(calls(index, f"c{index}", "get_time") for index in range(65)), request=CALLING)


def test_a_reply_with_its_reason_is_complete() -> None:
    reply = CompletionReader(PLAIN)
    reply.read(*SseReader().push(says("a")))
    assert not reply.is_complete
    reply.read(*SseReader().push(ends("stop")))
    assert (reply.is_complete, reply.is_done) == (True, False)
    reply.read(*SseReader().push(used(3, 1)))
    assert reply.end() == [Finished(FinishReason.STOP, Usage(3, 0, 1))]


@pytest.mark.parametrize("chunks", [[], [says("a")], [says("a"), used(1, 1)], [b"<html>\n"], [b": ping\n\n"]])
def test_a_reply_that_just_ends_is_none(chunks: list[bytes]) -> None:
    with pytest.raises(EngineFailedError, match="before it was complete"):
        read(*chunks)


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "7",
        "null",
        "[" * 100_000,
        '{"choices": 7}',
        '{"choices": [7]}',
        '{"choices": [{"delta": 7}]}',
        '{"choices": [{"delta": {"content": ["a"]}}]}',
        '{"choices": [{"delta": {"tool_calls": 7}}]}',
        '{"choices": [{"delta": {"tool_calls": [{}]}}]}',
        '{"choices": [{"delta": {"tool_calls": [{"index": [], "function": {"name": 7}}]}}]}',
        '{"choices": [{"delta": {}, "finish_reason": 7}]}',
    ],
)
def test_garbage_fails(content: str) -> None:
    with pytest.raises(EngineFailedError, match="no chat completion"):
        read(f"data: {content}\n".encode(), DONE, request=CALLING)


@pytest.mark.parametrize("chunk", [event({"error": {"message": "she said: secret"}}), ends("abort")])
def test_an_error_in_the_middle_fails_without_its_words(chunk: bytes) -> None:
    with pytest.raises(EngineFailedError, match="the server") as caught:
        read(says("a"), chunk, DONE)
    assert "secret" not in caught.value.message


def _objects(inner: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    keys = ("choices", "delta", "content", "tool_calls", "function", "index", "id", "usage", "finish_reason", "error")
    return st.dictionaries(st.sampled_from(keys), inner)


@given(
    st.recursive(st.none() | st.booleans() | st.floats() | st.text(), lambda inner: st.lists(inner) | _objects(inner))
)
def test_no_chunk_breaks_anything_else(chunk: object) -> None:
    reply = CompletionReader(CALLING)
    try:
        reply.read(json.dumps(chunk))
        reply.end()
    except EngineFailedError:
        return


@pytest.mark.parametrize("portion", [1000, 1_000_000])
def test_an_endless_line_is_refused(portion: int) -> None:
    endless = (b"x" * portion for _ in range(300))
    with pytest.raises(EngineFailedError, match="line of more than"):
        read(*endless)
