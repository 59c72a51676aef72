"""A streamed chat completion of OpenAI's HTTP API, from the data of its events to those of a reply. No I/O."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from services.common.errors import EngineFailedError
from services.llm.engine import (
    Finished,
    FinishReason,
    Generation,
    ReplyEvent,
    TextDelta,
    Thinking,
    ToolCall,
    ToolChoice,
    Usage,
)
from services.llm.think import ThinkFilter
from services.llm.tool_calls import make_call_id

_DONE = "[DONE]"
_MOST_CALLS = 64
_BROKEN_REASONS = {"abort", "error"}  # vLLM, SGLang: the server gave the reply up
_REASONS = {
    "length": FinishReason.LENGTH,
    "tool_calls": FinishReason.TOOL_CALLS,
    "function_call": FinishReason.TOOL_CALLS,
}


@dataclass
class _Call:
    """A tool call whose fragments come one by one."""

    id: str
    name: str
    arguments: str = ""


class CompletionReader:
    """Puts one reply together. EngineFailedError where the server sends what is no reply."""

    def __init__(self, request: Generation, make_id: Callable[[], str] = make_call_id) -> None:
        """`make_id` names the calls that a server leaves without a name."""
        self.is_done = False  # nothing more will come
        callable_ = request.tools if request.tool_choice is not ToolChoice.NONE else ()
        self._tools = {tool.name for tool in callable_}
        self._must_call = request.tool_choice is ToolChoice.REQUIRED
        self._make_id = make_id
        self._filter = ThinkFilter()
        self._half = ""
        self._calls: list[_Call] = []
        self._call_at: dict[int | None, _Call] = {}
        self._reason: str | None = None
        self._usage: Usage | None = None
        self._deltas = 0

    def read(self, data: str) -> list[ReplyEvent]:
        """The events that are certain with the next piece of data."""
        if data == _DONE:
            self.is_done = True
            return []
        chunk = _parse(data)
        if chunk.get("error"):
            raise EngineFailedError("the server broke while it wrote the reply")
        if isinstance(usage := chunk.get("usage"), dict):
            self._usage = _read_usage(usage)
        # The last chunk has none, only the usage; nobody asks for several.
        return [event for choice in _list(chunk, "choices")[:1] for event in self._read_choice(choice)]

    def end(self) -> list[ReplyEvent]:
        """What was held back, the calls, and the end."""
        if self._reason is None and not self.is_done:
            raise EngineFailedError("the server ended the reply before it was complete")
        text = self._filter.end()
        calls = self._finished_calls()
        if self._must_call and not calls:
            raise EngineFailedError("the model called no tool, though one was asked for")
        reason = FinishReason.TOOL_CALLS if calls else _REASONS.get(self._reason or "", FinishReason.STOP)
        if reason is FinishReason.TOOL_CALLS and not calls:
            raise EngineFailedError("the server speaks of a tool call, and sends none")
        usage = self._usage or Usage(completion_tokens=self._deltas)
        return [*([TextDelta(text)] if text else []), *calls, Finished(reason, usage)]

    def _read_choice(self, choice: dict[str, Any]) -> Iterator[ReplyEvent]:
        delta = choice.get("delta") or {}
        if not isinstance(delta, dict):
            raise _no_reply()
        content = _string(delta, "content")
        reasoning = delta.get("reasoning_content") or delta.get("reasoning")
        self._deltas += bool(content or reasoning)
        if reasoning:
            yield Thinking()
        if content:
            yield from self._show(self._whole(content))
        for fragment in _list(delta, "tool_calls"):
            self._merge(fragment)
        if reason := _string(choice, "finish_reason"):
            if reason in _BROKEN_REASONS:
                raise EngineFailedError("the server gave the reply up")
            self._reason = reason

    def _show(self, content: str) -> Iterator[ReplyEvent]:
        filtered = self._filter.push(content)
        if filtered.thought:
            yield Thinking()
        if filtered.text:
            yield TextDelta(filtered.text)

    def _whole(self, content: str) -> str:
        """JSON can cut a character such as 🎉 in two halves, which come one after the other."""
        text = self._half + content
        self._half = text[-1] if "\ud800" <= text[-1] <= "\udbff" else ""
        return _characters(text)

    def _merge(self, fragment: dict[str, Any]) -> None:
        function = fragment.get("function")
        if not isinstance(function, dict):
            raise _no_reply()
        id_, name = _string(fragment, "id"), _string(function, "name")
        index = fragment.get("index")
        place = index if isinstance(index, int) else None
        call = self._call_at.get(place)
        # Some Ollamas give each of several calls the index 0, and some servers give none.
        if call is None or (name and (place is None or id_ not in {"", call.id})):
            call = _Call(id_ or self._make_id(), name)
            self._calls.append(call)
            self._call_at[place] = call
        if len(self._calls) > _MOST_CALLS:
            raise EngineFailedError(f"the model calls more than {_MOST_CALLS} tools at once")
        arguments = function.get("arguments")
        call.arguments += json.dumps(arguments) if isinstance(arguments, dict) else _string(function, "arguments")

    def _finished_calls(self) -> list[ToolCall]:
        calls = []
        for call in self._calls:
            arguments = _read_arguments(call.arguments)
            if call.name in self._tools and arguments is not None:
                calls.append(ToolCall(_characters(call.id), call.name, arguments))
            elif self._reason != "length":  # cut off in the middle of a call: there is none
                raise EngineFailedError("the model called a tool in a way that cannot be read")
        return calls


def _parse(data: str) -> dict[str, Any]:
    try:
        chunk = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise _no_reply() from error
    if not isinstance(chunk, dict):
        raise _no_reply()
    return chunk


def _list(parent: dict[str, Any], key: str) -> list[dict[str, Any]]:
    value = parent.get(key) or []
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise _no_reply()
    return value


def _string(parent: dict[str, Any], key: str) -> str:
    value = parent.get(key) or ""
    if not isinstance(value, str):
        raise _no_reply()
    return value


def _no_reply() -> EngineFailedError:
    return EngineFailedError("the server sends what is no chat completion")


def _read_usage(usage: dict[str, Any]) -> Usage:
    details = usage.get("prompt_tokens_details")
    prompt = _count(usage, "prompt_tokens")
    cached = _count(details, "cached_tokens") if isinstance(details, dict) else 0
    return Usage(prompt, min(cached, prompt), _count(usage, "completion_tokens"))


def _count(parent: dict[str, Any], key: str) -> int:
    value = parent.get(key)
    return value if isinstance(value, int) and 0 < value < 2**31 else 0


def _read_arguments(text: str) -> str | None:
    """The object in plain form, or None where it is none. Some servers write nothing at all for no arguments."""
    try:
        value = json.loads(text or "{}")
        return _characters(json.dumps(value, ensure_ascii=False, allow_nan=False)) if isinstance(value, dict) else None
    except (ValueError, RecursionError):
        return None


def _characters(text: str) -> str:
    """The text without halves of characters, which no message can carry."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "ignore")
