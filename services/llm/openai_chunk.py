"""One piece of a streamed chat completion of OpenAI's HTTP API: read and checked. No I/O."""

import json
from dataclasses import dataclass
from typing import Any

from services.common.errors import EngineFailedError
from services.llm.engine import Usage

_BROKEN_REASONS = {"abort", "error"}  # vLLM, SGLang: the server gave the reply up


@dataclass(frozen=True)
class CallFragment:
    """A part of a tool call. `place` tells the calls of one reply apart, where the server numbers them."""

    place: int | None
    id: str
    name: str
    arguments: str


@dataclass(frozen=True)
class Chunk:
    """What the model wrote since the last piece, and what the server says about it."""

    content: str = ""
    reasons: bool = False
    fragments: tuple[CallFragment, ...] = ()
    finish_reason: str = ""
    usage: Usage | None = None

    @property
    def is_written(self) -> bool:
        """Whether the model wrote something, shown or not."""
        return bool(self.content or self.reasons or self.fragments)


def read_chunk(data: str) -> Chunk:
    """EngineFailedError where the server sends what is no chunk, or says that it broke."""
    parsed = _parse(data)
    if parsed.get("error"):
        raise EngineFailedError("the server broke while it wrote the reply")
    counts = parsed.get("usage")
    usage = _read_usage(counts) if isinstance(counts, dict) else None
    choices = _list(parsed, "choices")
    if not choices:  # the last chunk may have the usage alone
        return Chunk(usage=usage)
    choice = choices[0]  # nobody asks for several
    delta = choice.get("delta") or {}
    if not isinstance(delta, dict):
        raise _no_reply()
    return Chunk(
        content=_string(delta, "content"),
        reasons=bool(delta.get("reasoning_content") or delta.get("reasoning")),
        fragments=tuple(_read_fragment(fragment) for fragment in _list(delta, "tool_calls")),
        finish_reason=_read_reason(choice),
        usage=usage,
    )


def whole_characters(text: str) -> str:
    """The text without halves of characters, which JSON can hold and no message can carry."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "ignore")


def _read_reason(choice: dict[str, Any]) -> str:
    reason = _string(choice, "finish_reason")
    if reason in _BROKEN_REASONS:
        raise EngineFailedError("the server gave the reply up")
    return reason


def _read_fragment(fragment: dict[str, Any]) -> CallFragment:
    function = fragment.get("function")
    if not isinstance(function, dict):
        raise _no_reply()
    index, arguments = fragment.get("index"), function.get("arguments")
    return CallFragment(
        place=index if isinstance(index, int) else None,
        id=_string(fragment, "id"),
        name=_string(function, "name"),
        arguments=json.dumps(arguments) if isinstance(arguments, dict) else _string(function, "arguments"),
    )


def _read_usage(counts: dict[str, Any]) -> Usage:
    details = counts.get("prompt_tokens_details")
    prompt = _count(counts, "prompt_tokens")
    cached = _count(details, "cached_tokens") if isinstance(details, dict) else 0
    return Usage(prompt, min(cached, prompt), _count(counts, "completion_tokens"))


def _parse(data: str) -> dict[str, Any]:
    try:
        parsed = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise _no_reply() from error
    if not isinstance(parsed, dict):
        raise _no_reply()
    return parsed


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


def _count(parent: dict[str, Any], key: str) -> int:
    value = parent.get(key)
    return value if isinstance(value, int) and 0 < value < 2**31 else 0


def _no_reply() -> EngineFailedError:
    return EngineFailedError("the server sends what is no chat completion")
