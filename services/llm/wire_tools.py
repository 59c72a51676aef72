"""Tools on the wire: what a request declares, what was called, and what is to be called."""

import re
from collections.abc import Sequence
from typing import Any

from services.common.errors import InvalidInputError
from services.common.text import check_length, clean
from services.llm.engine import Tool, ToolCall, ToolChoice
from services.llm.json_text import read_object
from superwhisper.llm.v1 import llm_pb2

_MAX_TOOL_NAME_CHARACTERS = 64
_TOOL_NAME = re.compile(r"[A-Za-z0-9_-]+")
_MAX_CALL_ID_CHARACTERS = 128
_CALL_ID = re.compile(r"[A-Za-z0-9_.:-]+")
_CHOICES = {
    llm_pb2.TOOL_CHOICE_UNSPECIFIED: ToolChoice.AUTO,
    llm_pb2.TOOL_CHOICE_NONE: ToolChoice.NONE,
    llm_pb2.TOOL_CHOICE_REQUIRED: ToolChoice.REQUIRED,
}


def read_tools(tools: Sequence[llm_pb2.Tool]) -> tuple[Tool, ...]:
    """The tools of a request, or the error that names the field."""
    read: dict[str, Tool] = {}
    for index, tool in enumerate(tools):
        field = f"tools[{index}]"
        _check_tool_name(tool.name, f"{field}.name")
        if tool.name in read:
            raise InvalidInputError(f"{field}.name", f"{tool.name} is there twice")
        if not tool.description.strip():
            raise InvalidInputError(f"{field}.description", "it is empty: the model would not know when to call it")
        _check_parameters(tool.parameters_json_schema, f"{field}.parameters_json_schema")
        read[tool.name] = Tool(tool.name, clean(tool.description), tool.parameters_json_schema)
    return tuple(read.values())


def read_choice(choice: "llm_pb2.ToolChoice.ValueType", tools: Sequence[Tool]) -> ToolChoice:
    """Whether they are called."""
    read = _CHOICES.get(choice)
    if read is None:
        raise InvalidInputError("tool_choice", f"there is no choice {choice}")
    if read is ToolChoice.REQUIRED and not tools:
        raise InvalidInputError("tool_choice", "no tool is declared that could be called")
    return read


def read_call(call: llm_pb2.ToolCall, field: str) -> ToolCall:
    """A call of an earlier message."""
    if not _CALL_ID.fullmatch(call.id) or len(call.id) > _MAX_CALL_ID_CHARACTERS:
        of = f"1 to {_MAX_CALL_ID_CHARACTERS} letters, digits, '_', '-', '.' and ':'"
        raise InvalidInputError(f"{field}.id", f"it must be of {of}")
    _check_tool_name(call.name, f"{field}.name")
    _read_object(call.arguments_json, f"{field}.arguments_json")
    return ToolCall(call.id, call.name, call.arguments_json)


def write_call(call: ToolCall) -> llm_pb2.ToolCall:
    """A call for the caller to make."""
    return llm_pb2.ToolCall(id=call.id, name=call.name, arguments_json=call.arguments_json)


def _check_tool_name(name: str, field: str) -> None:
    check_length(name, _MAX_TOOL_NAME_CHARACTERS, field)
    if not _TOOL_NAME.fullmatch(name):
        raise InvalidInputError(field, "a name is of letters, digits, _ and -")


def _check_parameters(text: str, field: str) -> None:
    schema = _read_object(text, field)
    is_object = schema.get("type", "object" if "properties" in schema else None) == "object"
    if not is_object or "enum" in schema or "const" in schema:
        raise InvalidInputError(field, 'arguments are an object: it must have "type": "object", and no enum or const')


def _read_object(text: str, field: str) -> dict[str, Any]:
    try:
        return read_object(text)
    except ValueError as error:
        raise InvalidInputError(field, str(error)) from error
