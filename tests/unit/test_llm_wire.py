"""What a request may say, and what is answered to one that says something else."""

import math

import pytest

from services.common.errors import CallError, InvalidInputError, OutOfRangeError
from services.llm.engine import (
    ChatMessage,
    Finished,
    FinishReason,
    Generation,
    GrammarFormat,
    JsonFormat,
    ReplyEvent,
    ReplyFormat,
    Role,
    TextDelta,
    ToolCall,
    Usage,
)
from services.llm.wire import read_request, write_event
from superwhisper.llm.v1 import llm_pb2
from tests.support.llm import ask, section

SECTION = section("--llm.max_text_characters", "1000", "--llm.sampling.temperature", "0.3")
Message = llm_pb2.Message


def read(request: llm_pb2.GenerateRequest) -> Generation:
    return read_request(request, SECTION)


def refused(request: llm_pb2.GenerateRequest, kind: type[CallError]) -> str:
    """The field that the refusal names."""
    with pytest.raises(kind) as caught:
        read(request)
    return caught.value.field


def chat(*roles: "llm_pb2.Role.ValueType") -> llm_pb2.GenerateRequest:
    return llm_pb2.GenerateRequest(messages=[Message(role=role, content="so") for role in roles])


def sampled(**fields: object) -> llm_pb2.GenerateRequest:
    return ask("Hello", sampling=llm_pb2.SamplingConfig(**fields))  # type: ignore[arg-type]


def test_a_conversation_is_read() -> None:
    request = ask("Hi", "Hello!", "How are\x00you? 🎉", conversation_id="c1", language_code="fr-FR")
    request.messages.insert(0, Message(role=llm_pb2.ROLE_SYSTEM, content="Be kind."))
    read_back = read(request)
    assert read_back.messages == (
        ChatMessage(Role.SYSTEM, "Be kind."),
        ChatMessage(Role.USER, "Hi"),
        ChatMessage(Role.ASSISTANT, "Hello!"),
        ChatMessage(Role.USER, "How are you? 🎉"),
    )
    assert (read_back.conversation_id, read_back.language_code) == ("c1", "fr-FR")


def test_what_is_left_out_is_the_services_default_and_zero_is_not_left_out() -> None:
    left_out = read(ask("Hello"))
    assert left_out.language_code == SECTION.language_code
    assert (left_out.sampling.temperature, left_out.sampling.seed) == (0.3, None)
    assert left_out.sampling.max_tokens == SECTION.sampling.max_tokens
    zeros = read(sampled(temperature=0, top_k=0, min_p=0, seed=0)).sampling
    assert (zeros.temperature, zeros.top_k, zeros.min_p, zeros.seed) == (0, 0, 0, 0)


def test_no_messages() -> None:
    assert refused(ask(), InvalidInputError) == "messages"


@pytest.mark.parametrize(
    ("roles", "field"),
    [
        ((llm_pb2.ROLE_UNSPECIFIED,), "messages[0].role"),
        ((llm_pb2.ROLE_USER, llm_pb2.ROLE_SYSTEM, llm_pb2.ROLE_USER), "messages[1].role"),
        ((llm_pb2.ROLE_SYSTEM, llm_pb2.ROLE_SYSTEM, llm_pb2.ROLE_USER), "messages[1].role"),
        ((llm_pb2.ROLE_USER, llm_pb2.ROLE_ASSISTANT), "messages"),
        ((llm_pb2.ROLE_SYSTEM,), "messages"),
        ((llm_pb2.ROLE_USER, llm_pb2.ROLE_TOOL), "messages[1].tool_call_id"),
    ],
)
def test_messages_in_an_order_that_is_no_conversation(roles: "tuple[llm_pb2.Role.ValueType, ...]", field: str) -> None:
    assert refused(chat(*roles), InvalidInputError) == field


def test_a_role_that_does_not_exist() -> None:
    assert refused(chat(99), InvalidInputError) == "messages[0].role"  # type: ignore[arg-type]


@pytest.mark.parametrize("content", ["", "  \n", "\x00\x07"])
def test_an_empty_message(content: str) -> None:
    assert refused(ask("Hi", content, "Hello?"), InvalidInputError) == "messages[1].content"


def test_more_text_or_turns_than_the_limits() -> None:
    assert refused(ask("a" * 600, "b" * 300, "c" * 101), OutOfRangeError) == "messages"
    assert read(ask("a" * 600, "b" * 300, "c" * 100))
    assert refused(ask(*["a"] * 513), OutOfRangeError) == "messages"
    assert len(read(ask(*["a"] * 511)).messages) == 511
    assert refused(ask("Hi", conversation_id="c" * 129), OutOfRangeError) == "conversation_id"
    assert read(ask("Hi", conversation_id="é" * 128))


def test_a_language_that_is_none() -> None:
    assert refused(ask("Hi", language_code="french, please"), InvalidInputError) == "language_code"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("temperature", value) for value in (-0.1, 2.1, math.nan, math.inf)),
        *(("top_p", value) for value in (0, -1, 1.1, math.nan)),
        *(("min_p", value) for value in (-0.1, 1.1, math.nan)),
        *(("repeat_penalty", value) for value in (0.4, 2.1, math.nan, -math.inf)),
        ("top_k", -1),
        ("max_tokens", 0),
        ("max_tokens", -5),
    ],
)
def test_sampling_out_of_its_range(name: str, value: float) -> None:
    assert refused(sampled(**{name: value}), InvalidInputError) == f"sampling.{name}"


def test_the_ends_of_the_ranges_are_inside() -> None:
    least = read(sampled(temperature=0, top_p=1e-9, top_k=0, min_p=0, repeat_penalty=0.5, max_tokens=1, seed=-(2**63)))
    assert (least.sampling.repeat_penalty, least.sampling.seed) == (0.5, -(2**63))
    assert read(sampled(temperature=2, top_p=1, top_k=2**31 - 1, min_p=1, repeat_penalty=2, max_tokens=1024))


def test_a_reply_longer_than_the_limit() -> None:
    assert refused(sampled(max_tokens=1025), OutOfRangeError) == "sampling.max_tokens"


def test_stop_sequences() -> None:
    assert read(sampled(stop=["\n", "Human:"])).sampling.stop == ("\n", "Human:")
    assert refused(sampled(stop=["x"] * 9), InvalidInputError) == "sampling.stop"
    assert refused(sampled(stop=["x", ""]), InvalidInputError) == "sampling.stop[1]"
    assert refused(sampled(stop=["x" * 129]), OutOfRangeError) == "sampling.stop[0]"


@pytest.mark.parametrize(
    ("given", "form"),
    [
        (llm_pb2.ResponseFormat(json_schema="{}"), JsonFormat("{}")),
        (llm_pb2.ResponseFormat(grammar='root ::= "a"'), GrammarFormat('root ::= "a"')),
    ],
)
def test_a_format(given: llm_pb2.ResponseFormat, form: ReplyFormat) -> None:
    assert read(ask("Hi", response_format=given)).format == form
    assert read(ask("Hi")).format is None


def test_a_format_of_no_kind() -> None:
    assert refused(ask("Hi", response_format=llm_pb2.ResponseFormat()), InvalidInputError) == "response_format"


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        (TextDelta("é"), "text_delta"),
        (ToolCall("1", "lamp", "{}"), "tool_call"),
        (Finished(FinishReason.TOOL_CALLS, Usage(3, 2, 1)), "finished"),
    ],
)
def test_what_is_sent(event: ReplyEvent, kind: str) -> None:
    response = write_event(event, "engine", llm_pb2.GenerationTimings(total_ms=5))
    assert response.WhichOneof("event") == kind


def test_the_end_tells_what_it_cost() -> None:
    end = write_event(Finished(FinishReason.LENGTH, Usage(3, 2, 1)), "engine", llm_pb2.GenerationTimings(total_ms=5))
    usage = llm_pb2.Usage(prompt_tokens=3, cached_prompt_tokens=2, completion_tokens=1)
    assert end.finished == llm_pb2.GenerationFinished(
        finish_reason=llm_pb2.FINISH_REASON_LENGTH,
        usage=usage,
        backend="engine",
        timings=llm_pb2.GenerationTimings(total_ms=5),
    )
