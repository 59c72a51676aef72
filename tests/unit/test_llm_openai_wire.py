"""Requests as OpenAI's HTTP API has them, and what servers answer that refuse them."""

import json
from dataclasses import replace

import pytest

from services.common.errors import (
    CallError,
    EngineFailedError,
    InvalidInputError,
    UnavailableError,
    UnsupportedError,
)
from services.llm.engine import (
    ChatMessage,
    Generation,
    GrammarFormat,
    JsonFormat,
    Role,
    Sampling,
    Tool,
    ToolCall,
    ToolChoice,
)
from services.llm.openai_wire import Dialect, Refusal, estimate_tokens, read_names, read_refusal, write_request
from services.llm.refusals import EndpointNames, error_of
from tests.support.llm import generation

SAMPLING = Sampling(0.7, 0.9, 40, 0.05, 1.1, max_tokens=64, seed=5, stop=("\n", "END"))
TOOL = Tool("get_weather", "The weather of a town.", '{"type": "object", "properties": {"town": {"type": "string"}}}')
NAMES = EndpointNames("near", "tiny", "")


def written(request: Generation, dialect: Dialect = Dialect.EXTENDED) -> dict[str, object]:
    return write_request(request, request.messages, "tiny", dialect)


def asking(**fields: object) -> Generation:
    return replace(generation("Hello", sampling=SAMPLING), **fields)  # type: ignore[arg-type]


def test_a_conversation_is_written_with_its_tool_calls() -> None:
    call = ToolCall("call_1", "get_weather", '{"town":"Évry"}')
    messages = (
        ChatMessage(Role.SYSTEM, "Be kind."),
        ChatMessage(Role.USER, "The weather?"),
        ChatMessage(Role.ASSISTANT, "", (call,)),
        ChatMessage(Role.TOOL, "Rain", tool_call_id="call_1"),
    )
    assert written(asking(messages=messages))["messages"] == [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "The weather?"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {
                    "id": "call_1",
                    "type": "function",
                    "function": {"name": "get_weather", "arguments": '{"town":"Évry"}'},
                }
            ],
        },
        {"role": "tool", "content": "Rain", "tool_call_id": "call_1"},
    ]


def test_each_dialect_has_fewer_fields_than_the_one_before() -> None:
    standard = {
        *("model", "messages", "stream", "stream_options", "temperature", "top_p", "max_tokens"),
        *("seed", "stop"),
    }
    extensions = {"top_k", "min_p", "repeat_penalty", "repetition_penalty"}
    assert set(written(asking())) == standard | extensions
    assert set(written(asking(), Dialect.STANDARD)) == standard
    assert set(written(asking(), Dialect.PLAIN)) == standard - {"stream_options", "seed"}


def test_what_nobody_asked_for_is_left_out() -> None:
    body = written(generation("Hello"))
    assert not {"seed", "stop", "tools", "tool_choice", "response_format"} & set(body)
    assert body["stream_options"] == {"include_usage": True}


@pytest.mark.parametrize("seed", [-1, 0, 7, 2**32 - 1, -(2**31)])
def test_a_seed_is_never_one_that_means_any(seed: int) -> None:
    sent = written(asking(sampling=replace(SAMPLING, seed=seed)))["seed"]
    assert isinstance(sent, int)
    assert 0 <= sent < 2**31


@pytest.mark.parametrize(("choice", "wanted"), [(ToolChoice.AUTO, "auto"), (ToolChoice.REQUIRED, "required")])
def test_tools_are_written_as_functions(choice: ToolChoice, wanted: str) -> None:
    body = written(asking(tools=(TOOL,), tool_choice=choice))
    parameters = json.loads(TOOL.parameters_json_schema)
    assert body["tools"] == [
        {
            "type": "function",
            "function": {"name": "get_weather", "description": "The weather of a town.", "parameters": parameters},
        }
    ]
    assert body["tool_choice"] == wanted


def test_tools_that_must_not_be_called_are_not_named() -> None:
    assert not {"tools", "tool_choice"} & set(written(asking(tools=(TOOL,), tool_choice=ToolChoice.NONE)))


def test_a_schema_is_the_format() -> None:
    body = written(asking(format=JsonFormat('{"type": "object"}')))
    assert body["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "reply", "schema": {"type": "object"}, "strict": True},
    }


def test_a_grammar_is_not_supported() -> None:
    with pytest.raises(UnsupportedError) as caught:
        written(asking(format=GrammarFormat('root ::= "a"')))
    assert caught.value.field == "response_format"


@pytest.mark.parametrize("schema", ["", "{", "[]", "7", "[" * 100_000])
def test_a_schema_that_is_none_is_refused(schema: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        written(asking(format=JsonFormat(schema)))
    assert caught.value.field == "response_format"
    with pytest.raises(InvalidInputError) as caught:
        written(asking(tools=(TOOL, replace(TOOL, parameters_json_schema=schema))))
    assert caught.value.field == "tools[1].parameters_json_schema"


def test_an_estimate_counts_all_that_is_read() -> None:
    # Whisper's tokenizer makes 13 tokens of it. Too low an estimate would have the server refuse, or cut in secret.
    assert 13 <= estimate_tokens([ChatMessage(Role.USER, "Où est-ce que tu vas aujourd'hui ?")]) - 8 <= 20
    assert 12 <= estimate_tokens([ChatMessage(Role.USER, "今天天气很好，我们去市场吧")]) - 8 <= 20
    call = ChatMessage(Role.ASSISTANT, "", (ToolCall("1", "f", '{"a": "' + "x" * 300 + '"}'),))
    assert estimate_tokens([call]) > 100
    assert estimate_tokens([], [TOOL]) > 20


@pytest.mark.parametrize(
    ("content", "names"),
    [
        (b'{"object": "list", "data": [{"id": "a"}, {"id": "b"}]}', ["a", "b"]),
        (b'{"data": []}', []),
        (b'{"data": [{"id": 7}, 3, {"id": "a\\u0007"}]}', []),  # nothing that would not be a name in a log
        (b'{"data": {}}', None),
        (b"[]", None),
        (b"<html>", None),
        (b"[" * 100_000, None),
        (b"\xff\xfe", None),
    ],
)
def test_a_list_of_models_is_read_or_is_none(content: bytes, names: list[str] | None) -> None:
    assert read_names(content) == names


@pytest.mark.parametrize(
    "content",
    [
        '{"error": {"message": "This model\'s maximum context length is 512 tokens.", "code": 400}}',
        '{"error": {"message": "too long", "type": "invalid_request_error", "code": "context_length_exceeded"}}',
        '{"error": {"code": 400, "message": "the request exceeds", "type": "exceed_context_size_error"}}',
        '{"object": "error", "message": "max_tokens is larger than max_model_len", "code": 400}',
        '{"error": "the prompt is too long"}',
    ],
)
def test_a_conversation_too_long_is_the_callers_affair(content: str) -> None:
    error = error_of(read_refusal(400, content.encode()), NAMES)
    assert isinstance(error, InvalidInputError)
    assert (error.field, error.detailed_reason) == ("messages", "CONTEXT_TOO_LONG")


@pytest.mark.parametrize(
    ("status", "kind", "says"),
    [
        (400, EngineFailedError, "400"),
        (401, EngineFailedError, r"llm\.endpoints\.near\.api_key_env"),
        (403, EngineFailedError, "wants a key"),
        (404, EngineFailedError, "does not know the model tiny"),
        (307, EngineFailedError, r"elsewhere.*llm\.endpoints\.near\.url"),
        (408, UnavailableError, "408"),
        (429, UnavailableError, "429"),
        (500, EngineFailedError, "500"),
        (502, UnavailableError, "502"),
        (503, UnavailableError, "not ready"),
    ],
)
def test_every_other_refusal_lets_the_next_engine_try(status: int, kind: type[CallError], says: str) -> None:
    content = b'{"error": {"message": "Papa said: secret words", "type": "some_error"}}'
    error = error_of(read_refusal(status, content), NAMES, asking())
    assert type(error) is kind
    assert error.message == str(error)
    with pytest.raises(kind, match=says):
        raise error
    assert "secret" not in error.message


def test_a_wrong_key_is_named_by_its_variable() -> None:
    error = error_of(Refusal(401), replace(NAMES, api_key_env="NEAR_KEY"))
    assert "environment variable NEAR_KEY" in error.message


@pytest.mark.parametrize(
    ("status", "message", "field"),
    [
        (400, "registry.ollama.ai/library/tiny does not support tools", "tools"),
        (400, '"auto" tool choice requires --enable-auto-tool-choice', "tools"),
        (422, "response_format.type: Input should be 'text' or 'json_object'", "response_format"),
        (500, "{'loc': ('body', 'response_format', 'type')}", "response_format"),
    ],
)
def test_what_a_server_does_not_know_is_unsupported(status: int, message: str, field: str) -> None:
    request = asking(tools=(TOOL,), format=JsonFormat("{}"))
    error = error_of(Refusal(status, message), NAMES, request)
    assert isinstance(error, UnsupportedError)
    assert error.field == field
    assert type(error_of(Refusal(status, message), NAMES, asking())) is EngineFailedError  # it asked for none


def test_a_server_without_tools_knows_no_calls_of_before_either() -> None:
    call = ToolCall("c", "get_weather", "{}")
    before = asking(messages=(ChatMessage(Role.ASSISTANT, "", (call,)), ChatMessage(Role.TOOL, "Rain", (), "c")))
    error = error_of(Refusal(400, "tiny does not support tools"), NAMES, before)
    assert (type(error), error.field) == (UnsupportedError, "tools")


def test_more_stop_sequences_than_usual_may_be_too_many() -> None:
    refusal = Refusal(400, "Invalid 'stop': array too long. Expected an array with maximum length 4")
    error = error_of(refusal, NAMES, asking(sampling=replace(SAMPLING, stop=("a", "b", "c", "d", "e"))))
    assert (type(error), error.field) == (UnsupportedError, "sampling.stop")
    assert type(error_of(refusal, NAMES, asking())) is EngineFailedError


@pytest.mark.parametrize(("status", "helps"), [(400, True), (422, True), (413, False), (429, False), (500, False)])
def test_fewer_fields_may_help_where_a_server_calls_the_request_bad(status: int, helps: bool) -> None:
    assert Refusal(status, "top_k: extra inputs are not permitted").may_be_about_fields is helps
    assert not Refusal(status, "maximum context length").may_be_about_fields


def test_only_the_servers_own_words_are_codes() -> None:
    content = {"error": {"message": "m", "type": "bad_request", "code": "he said: hello", "param": 7}}
    assert read_refusal(400, json.dumps(content).encode()) == Refusal(400, "m", ("bad_request",))


@pytest.mark.parametrize("content", [b"", b"<html>", b"[]", b'"text"', b'{"error": null}', b"{" * 100_000])
def test_a_refusal_may_be_anything(content: bytes) -> None:
    refusal = read_refusal(400, content)
    assert refusal.status == 400
    assert not refusal.codes
