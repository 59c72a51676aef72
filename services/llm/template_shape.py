"""Conversations and tools in the shape of OpenAI's API, which chat templates read, with the habits that differ."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from services.common.errors import InvalidInputError
from services.llm.engine import ChatMessage, Role, Tool, ToolCall
from services.llm.json_text import read_object

_SHORT_ID_CHARACTERS = 9

Quote = Callable[[str], str]


@dataclass(frozen=True)
class Shape:
    """What one template takes. The defaults are what most do."""

    system: bool = True  # a system message; else its text goes into the person's first one
    neighbours: bool = True  # two messages of the same role in a row; else they become one
    no_content: bool = False  # that a message of calls has no content, rather than an empty one
    arguments_as_text: bool = False  # rather than as an object
    short_ids: bool = False  # of calls: nine letters and digits, as Mistral's templates demand

    def shape(self, messages: Sequence[ChatMessage], quote: Quote) -> list[dict[str, Any]]:
        """The messages as the template takes them. `quote` is done to all that somebody wrote."""
        if not self.system:
            messages = _with_system_in_front(messages)
        if not self.neighbours:
            messages = _joined(messages)
        names = {call.id: call.name for message in messages for call in message.tool_calls}
        return [self._message(message, names, quote) for message in messages]

    def _message(self, message: ChatMessage, names: dict[str, str], quote: Quote) -> dict[str, Any]:
        shaped: dict[str, Any] = {"role": str(message.role), "content": quote(message.content)}
        if message.tool_calls:
            shaped["tool_calls"] = [self._call(call, quote) for call in message.tool_calls]
            if self.no_content and not message.content:
                shaped["content"] = None
        if message.role is Role.TOOL:
            shaped["tool_call_id"] = self._id(message.tool_call_id, quote)
            shaped["name"] = quote(names.get(message.tool_call_id, ""))
        return shaped

    def _call(self, call: ToolCall, quote: Quote) -> dict[str, Any]:
        arguments = _object(call.arguments_json, "messages", "the arguments of a tool call", quote)
        written = quote(call.arguments_json) if self.arguments_as_text else arguments
        function = {"name": quote(call.name), "arguments": written}
        return {"id": self._id(call.id, quote), "type": "function", "function": function}

    def _id(self, call_id: str, quote: Quote) -> str:
        if not self.short_ids:
            return quote(call_id)
        return hashlib.sha256(call_id.encode(errors="replace")).hexdigest()[:_SHORT_ID_CHARACTERS]


def shape_tools(tools: Sequence[Tool], quote: Quote) -> list[dict[str, Any]] | None:
    """The tools as templates take them, which for none is None. `quote` is done to all that somebody wrote."""
    return [_tool(tool, index, quote) for index, tool in enumerate(tools)] or None


def _tool(tool: Tool, index: int, quote: Quote) -> dict[str, Any]:
    parameters = _object(tool.parameters_json_schema, f"tools[{index}].parameters_json_schema", "the schema", quote)
    function = {"name": quote(tool.name), "description": quote(tool.description), "parameters": parameters}
    return {"type": "function", "function": function}


def _object(text: str, field: str, what: str, quote: Quote) -> object:
    try:
        return _quoted(read_object(text), quote)
    except (ValueError, RecursionError) as error:
        raise InvalidInputError(field, f"{what} must be a JSON object") from error


def _quoted(value: object, quote: Quote) -> object:
    """Read, and not as it was written: JSON can spell a mark so that nothing finds it before it is read."""
    match value:
        case str():
            return quote(value)
        case list():
            return [_quoted(item, quote) for item in value]
        case dict():
            return {quote(key): _quoted(item, quote) for key, item in value.items()}
        case _:
            return value


def _with_system_in_front(messages: Sequence[ChatMessage]) -> list[ChatMessage]:
    """The system's text as the beginning of what the person said first."""
    if not messages or messages[0].role is not Role.SYSTEM:
        return list(messages)
    system, *others = messages
    first = next((index for index, message in enumerate(others) if message.role is Role.USER), None)
    if first is None:
        return [replace(system, role=Role.USER), *others]
    others[first] = replace(others[first], content=f"{system.content}\n\n{others[first].content}")
    return others


def _joined(messages: Sequence[ChatMessage]) -> list[ChatMessage]:
    """With one message in place of several that the person, or the assistant, wrote one after the other."""
    joined: list[ChatMessage] = []
    for (role, is_plain), group in groupby(messages, lambda message: (message.role, not message.tool_calls)):
        if is_plain and role in {Role.USER, Role.ASSISTANT}:
            joined.append(ChatMessage(role, "\n\n".join(message.content for message in group)))
        else:
            joined.extend(group)
    return joined
