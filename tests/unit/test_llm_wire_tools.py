"""Tools in a request: what may be declared, called and answered."""

from collections.abc import Callable

import pytest

from services.common.errors import CallError, InvalidInputError, OutOfRangeError
from services.llm.engine import ChatMessage, Generation, Role, Tool, ToolCall, ToolChoice
from services.llm.wire import read_request
from superwhisper.llm.v1 import llm_pb2
from tests.support.llm import section

SECTION = section("--llm.max_tools", "3", "--llm.max_text_characters", "500")
SCHEMA = '{"type": "object", "properties": {"room": {"type": "string"}}}'


def tool(**changes: str) -> llm_pb2.Tool:
    fields = {"name": "lamp", "description": "Turns a lamp on.", "parameters_json_schema": SCHEMA}
    return llm_pb2.Tool(**{**fields, **changes})


def call(**changes: str) -> llm_pb2.ToolCall:
    return llm_pb2.ToolCall(**{"id": "1", "name": "lamp", "arguments_json": '{"room": "hall"}', **changes})


def conversation() -> llm_pb2.GenerateRequest:
    """A tool was declared, called and has answered."""
    return llm_pb2.GenerateRequest(
        tools=[tool()],
        messages=[
            llm_pb2.Message(role=llm_pb2.ROLE_USER, content="Light!"),
            llm_pb2.Message(role=llm_pb2.ROLE_ASSISTANT, tool_calls=[call()]),
            llm_pb2.Message(role=llm_pb2.ROLE_TOOL, content="It is on.", tool_call_id="1"),
        ],
    )


def read(request: llm_pb2.GenerateRequest) -> Generation:
    return read_request(request, SECTION)


def refused(request: llm_pb2.GenerateRequest, kind: type[CallError] = InvalidInputError) -> str:
    """The field that the refusal names."""
    with pytest.raises(kind) as caught:
        read(request)
    return caught.value.field


def test_a_conversation_with_tools_is_read() -> None:
    generation = read(conversation())
    assert generation.tools == (Tool("lamp", "Turns a lamp on.", SCHEMA),)
    assert generation.tool_choice is ToolChoice.AUTO
    assert generation.messages[1:] == (
        ChatMessage(Role.ASSISTANT, "", (ToolCall("1", "lamp", '{"room": "hall"}'),)),
        ChatMessage(Role.TOOL, "It is on.", (), "1"),
    )
    assert generation.uses_tools


def test_a_result_belongs_to_the_turn_of_its_call() -> None:
    """Turns are left out as a whole where a history is too long: no result must lose its call."""
    request = conversation()
    result = llm_pb2.Message(role=llm_pb2.ROLE_TOOL, content="It is off.", tool_call_id="1")
    request.messages.extend([llm_pb2.Message(role=llm_pb2.ROLE_USER, content="And now?"), result])
    assert refused(request) == "messages[4].tool_call_id"


def test_more_calls_than_messages_may_be() -> None:
    request = conversation()
    request.messages[1].tool_calls.extend([call(id=str(number)) for number in range(600)])
    assert refused(request, OutOfRangeError) == "messages"


@pytest.mark.parametrize("given", ["a" * 128, "call_0-1.b:2"])
def test_identifiers_that_others_give(given: str) -> None:
    request = conversation()
    request.messages[1].tool_calls[0].id = request.messages[2].tool_call_id = given
    assert read(request).messages[1].tool_calls[0].id == given


@pytest.mark.parametrize("schema", ['{"type": "object"}', '{"properties": {}}', '{"type": "object", "anyOf": [{}]}'])
def test_schemas_of_objects(schema: str) -> None:
    request = conversation()
    request.tools[0].parameters_json_schema = schema
    assert read(request).tools[0].parameters_json_schema == schema


def test_a_tool_may_have_nothing_to_say() -> None:
    request = conversation()
    request.messages[2].content = ""
    assert read(request).messages[2].content == ""


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        (tool(name=""), "tools[0].name"),
        (tool(name="turn on"), "tools[0].name"),
        (tool(description=" "), "tools[0].description"),
        (tool(parameters_json_schema=""), "tools[0].parameters_json_schema"),
        (tool(parameters_json_schema="[]"), "tools[0].parameters_json_schema"),
        (tool(parameters_json_schema="{}"), "tools[0].parameters_json_schema"),
        (tool(parameters_json_schema='{"type": "string"}'), "tools[0].parameters_json_schema"),
        (tool(parameters_json_schema='{"type": ["object"]}'), "tools[0].parameters_json_schema"),
        (tool(parameters_json_schema='{"anyOf": [{"type": "string"}]}'), "tools[0].parameters_json_schema"),
        (tool(parameters_json_schema='{"type": "object", "enum": [1]}'), "tools[0].parameters_json_schema"),
        (tool(parameters_json_schema='{"properties": {}, "const": 1}'), "tools[0].parameters_json_schema"),
        (tool(parameters_json_schema="[" * 100_000), "messages"),
        (tool(parameters_json_schema="[" * 400), "tools[0].parameters_json_schema"),
    ],
)
def test_a_tool_that_is_none(changed: llm_pb2.Tool, field: str) -> None:
    request = conversation()
    request.tools[0].CopyFrom(changed)
    assert refused(request, CallError) == field


def test_tools_beyond_the_limits() -> None:
    request = conversation()
    request.tools.extend([tool(name=f"lamp{number}") for number in range(3)])
    assert refused(request, OutOfRangeError) == "tools"
    assert refused(llm_pb2.GenerateRequest(tools=[tool(name="l" * 65)]), OutOfRangeError) == "tools[0].name"
    request = conversation()
    request.tools.append(tool())
    assert refused(request) == "tools[1].name"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda request: request.messages[1].tool_calls[0].CopyFrom(call(id="")), "messages[1].tool_calls[0].id"),
        (lambda request: request.messages[1].tool_calls[0].CopyFrom(call(id="<|x|>")), "messages[1].tool_calls[0].id"),
        (
            lambda request: request.messages[1].tool_calls[0].CopyFrom(call(id="a" * 129)),
            "messages[1].tool_calls[0].id",
        ),
        (lambda request: request.messages[1].tool_calls[0].CopyFrom(call(name="")), "messages[1].tool_calls[0].name"),
        (
            lambda request: request.messages[1].tool_calls[0].CopyFrom(call(arguments_json="[]")),
            "messages[1].tool_calls[0].arguments_json",
        ),
        (lambda request: request.messages[0].tool_calls.append(call()), "messages[0].tool_calls"),
        (lambda request: setattr(request.messages[2], "tool_call_id", "2"), "messages[2].tool_call_id"),
        (lambda request: setattr(request.messages[0], "tool_call_id", "1"), "messages[0].tool_call_id"),
        (lambda request: setattr(request, "tool_choice", 9), "tool_choice"),
        (lambda request: request.response_format.CopyFrom(llm_pb2.ResponseFormat(json_schema="{}")), "response_format"),
    ],
)
def test_what_makes_no_sense(change: Callable[[llm_pb2.GenerateRequest], object], field: str) -> None:
    request = conversation()
    change(request)
    assert refused(request) == field


def test_whether_tools_are_called() -> None:
    request = conversation()
    for given, choice in (
        (llm_pb2.TOOL_CHOICE_NONE, ToolChoice.NONE),
        (llm_pb2.TOOL_CHOICE_REQUIRED, ToolChoice.REQUIRED),
    ):
        request.tool_choice = given
        assert read(request).tool_choice is choice
    del request.tools[:]
    assert refused(request) == "tool_choice"
