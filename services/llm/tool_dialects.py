"""How models write that they call a tool: each family in its own dialect, inside the text of a reply."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

_DECODER = json.JSONDecoder(strict=False)  # models write line ends into strings as they are
_NAME = re.compile(r"\s*([\w.-]+)\s*(?:\[CALL_ID\]\s*\w*\s*)?(?:\[ARGS\]\s*)?(?=\{)")
# Replies that are calls begin like this; space does not count.
_BARE = tuple(f'{{"{key}"' for key in ("name", "type", "function", "parameters"))


class UnreadableCallError(ValueError):
    """The model means to call a tool, but nobody can tell which, or with what."""

    def __init__(self, message: str, name: str = "", *, has_arguments: bool = False) -> None:
        """`name`: the tool's, where it has one."""
        super().__init__(message)
        self.name = name
        self.has_arguments = has_arguments


@dataclass(frozen=True)
class WrittenCall:
    """A call as it is written; whether there is such a tool is another matter."""

    name: str
    arguments_json: str
    has_arguments: bool = True


@dataclass(frozen=True)
class ToolDialect:
    """One way to write calls."""

    opening: str  # the mark that calls begin with
    closing: str  # and may end with
    frame: tuple[str, str, str]  # a call: what stands before its name, between that and the arguments, and after them
    is_bare: bool = False  # a call may be a whole reply, without a mark
    is_single: bool = False  # a reply has one call at most

    @property
    def marks(self) -> tuple[str, ...]:
        """Texts that must be seen in a reply, though the model may have control tokens for them."""
        return tuple(mark for mark in (self.opening, self.closing, *_INNER_MARKS) if mark)

    def is_bare_call(self, reply: str) -> bool | None:
        """Whether a reply that begins so is a call without a mark; None where only more of it can tell."""
        begun = re.sub(r"\s", "", reply)
        if not self.is_bare or any(begun.startswith(call) for call in _BARE):
            return self.is_bare
        return None if any(call.startswith(begun) for call in _BARE) else False

    def read(self, text: str) -> tuple[list[WrittenCall], str] | None:
        """The calls that the text after an opening begins with, and what follows; None while they are not complete.

        What is broken is never complete: a model that forgets a bracket may yet find it.
        """
        named = _NAME.match(text)
        start = named.end() if named else len(text) - len(text.lstrip())
        if text[start : start + 1] not in {"{", "["}:
            return None
        try:
            value, end = _DECODER.raw_decode(text, start)
        except (ValueError, RecursionError):
            return None
        if named:
            value = {"name": named[1], "arguments": value}
        return [_call(item) for item in (value if isinstance(value, list) else [value])], text[end:]


_INNER_MARKS = ("[CALL_ID]", "[ARGS]")
HERMES = ToolDialect("<tool_call>", "</tool_call>", ('<tool_call>\n{"name": "', '", "arguments": ', "}\n</tool_call>"))
LLAMA = ToolDialect("<|python_tag|>", "", ('{"name": "', '", "parameters": ', "}"), is_bare=True, is_single=True)
MISTRAL = ToolDialect("[TOOL_CALLS]", "", ('[TOOL_CALLS] [{"name": "', '", "arguments": ', "}]"))
MISTRAL_NAMED = ToolDialect("[TOOL_CALLS]", "", ("[TOOL_CALLS]", "[ARGS]", ""))
DIALECTS = (HERMES, LLAMA, MISTRAL, MISTRAL_NAMED)


def _call(value: object) -> WrittenCall:
    inner = value.get("function") if isinstance(value, Mapping) else None
    call = inner if isinstance(inner, Mapping) else value  # some wrap it, as they are shown the tools
    if not isinstance(call, Mapping):
        raise UnreadableCallError("a call is no object")
    arguments = call.get("arguments", call.get("parameters"))
    has_arguments = arguments is not None
    name = call.get("name")
    if not isinstance(name, str):
        raise UnreadableCallError("a call has no name", has_arguments=has_arguments)
    return WrittenCall(name, _arguments(arguments, name) if has_arguments else "{}", has_arguments)


def _arguments(arguments: object, name: str) -> str:
    try:
        if isinstance(arguments, str):
            arguments = json.loads(arguments, strict=False)
        written = json.dumps(arguments, ensure_ascii=False, allow_nan=False)
        written.encode()  # half of a surrogate pair is no text
    except (ValueError, RecursionError) as error:
        raise UnreadableCallError("a call's arguments are no JSON", name, has_arguments=True) from error
    if not isinstance(arguments, dict):
        raise UnreadableCallError("a call's arguments are no object", name, has_arguments=True)
    return written
