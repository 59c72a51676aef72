"""A reply of the language model as it comes, and how it is shown: text for people, JSON lines for programs."""

import json
import sys
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from client.messages import tr
from client.views.text_view import printable
from superwhisper.llm.v1 import llm_pb2

CUT_OFF = "length"
_REASONS = {
    llm_pb2.FINISH_REASON_STOP: "stop",
    llm_pb2.FINISH_REASON_LENGTH: CUT_OFF,
    llm_pb2.FINISH_REASON_TOOL_CALLS: "tool_calls",
}


@dataclass(frozen=True)
class ReplyText:
    """More of the reply."""

    delta: str


@dataclass(frozen=True)
class ToolCall:
    """The model wants a tool to be called."""

    id: str
    name: str
    arguments: Any


@dataclass(frozen=True)
class ReplyEnd:
    """Why the reply ended, and what it cost."""

    finish_reason: str
    backend: str
    prompt_tokens: int
    cached_prompt_tokens: int
    completion_tokens: int
    first_token_ms: float
    total_ms: float


ReplyItem = ReplyText | ToolCall | ReplyEnd


def reply_item(response: llm_pb2.GenerateResponse) -> ReplyItem | None:
    """What the response tells; None where only a newer client would know."""
    match response.WhichOneof("event"):
        case "text_delta":
            return ReplyText(response.text_delta)
        case "tool_call":
            call = response.tool_call
            return ToolCall(call.id, call.name, json.loads(call.arguments_json))
        case "finished":
            return _end(response.finished)
        case _:
            return None


def _end(finished: llm_pb2.GenerationFinished) -> ReplyEnd:
    usage, timings = finished.usage, finished.timings
    return ReplyEnd(
        _REASONS.get(finished.finish_reason, "unknown"),
        finished.backend,
        usage.prompt_tokens,
        usage.cached_prompt_tokens,
        usage.completion_tokens,
        round(timings.first_token_ms, 1),
        round(timings.total_ms, 1),
    )


class ReplyView(Protocol):
    """Shows a reply as it comes."""

    def show(self, item: ReplyItem) -> None:
        """The next of it."""


class TextReply:
    """For people: the text as it comes, and a line of JSON for each call."""

    def __init__(self, *, verbose: bool = False) -> None:
        """`verbose` tells on stderr what the reply cost."""
        self._verbose = verbose
        self._in_line = False

    def show(self, item: ReplyItem) -> None:
        """The next of it."""
        match item:
            case ReplyText(delta):
                self._write(delta)
            case ToolCall():
                self._end_line()
                self._write(json.dumps(asdict(item), ensure_ascii=False) + "\n")
            case ReplyEnd():
                self._end_line()
                sys.stderr.write(_told(item, verbose=self._verbose))

    def _end_line(self) -> None:
        if self._in_line:
            self._write("\n")

    def _write(self, text: str) -> None:
        sys.stdout.write(printable(text))
        sys.stdout.flush()
        self._in_line = not text.endswith("\n")


def _told(end: ReplyEnd, *, verbose: bool) -> str:
    told = ""
    if end.finish_reason == CUT_OFF:
        told += tr(
            "the reply was cut off after {tokens} tokens; --max-tokens says how many it may have",
            tokens=end.completion_tokens,
        )
        told += "\n"
    if verbose:
        told += tr(
            "{engine}: {tokens} tokens after {read} read, of which {known} were known; "
            "first after {first_ms:.0f} ms, all after {total_ms:.0f} ms",
            engine=end.backend,
            tokens=end.completion_tokens,
            read=end.prompt_tokens,
            known=end.cached_prompt_tokens,
            first_ms=end.first_token_ms,
            total_ms=end.total_ms,
        )
        told += "\n"
    return told


class JsonReply:
    """For programs: an event a line."""

    def show(self, item: ReplyItem) -> None:
        """The next of it."""
        fields = {"event": _KINDS[type(item)], **asdict(item)}
        sys.stdout.write(json.dumps(fields, ensure_ascii=False) + "\n")
        sys.stdout.flush()


_KINDS: dict[type, str] = {ReplyText: "reply_text", ToolCall: "tool_call", ReplyEnd: "finished"}
