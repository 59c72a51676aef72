"""From the bytes of a reply's tokens to its events."""

import codecs
from collections.abc import Callable, Sequence

from services.common.errors import EngineFailedError
from services.llm.engine import ReplyEvent, TextDelta, Thinking, Tool, ToolCall
from services.llm.reply_text import ReplyText
from services.llm.think import ThinkFilter
from services.llm.tool_calls import CallReader, Part, make_call_id
from services.llm.tool_dialects import ToolDialect


class ReplyReader:
    """Reads one reply: whole characters, then without reasoning, then without calls, then up to a stop sequence.

    So stop sequences count only in what is shown. One that is a line's end, for instance, would else end each reply
    inside of the reasoning before it, or cut a call in two.
    """

    def __init__(
        self,
        stop: Sequence[str] = (),
        *,
        thinking: bool = False,
        dialect: ToolDialect | None = None,
        tools: Sequence[Tool] = (),
        make_id: Callable[[], str] = make_call_id,
    ) -> None:
        """`thinking`: the prompt ends inside of reasoning. Without a dialect, or tools, no calls are looked for."""
        # A model may write bytes that are no character at all; they are left out, never shown as a mark.
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="ignore")
        self._reasoning = ThinkFilter(thinking)
        self._calls = CallReader(dialect, tools, make_id) if dialect and tools else None
        self._text = ReplyText(stop)
        self.has_called = False

    @property
    def is_stopped(self) -> bool:
        """Whether nothing that follows counts: a stop sequence was met, or the calls are complete."""
        return self._text.is_stopped or (self._calls is not None and self._calls.is_complete)

    def push(self, piece: bytes) -> list[ReplyEvent]:
        """What is certain with these bytes."""
        if self.is_stopped:
            return []
        filtered = self._reasoning.push(self._decoder.decode(piece))
        thoughts = [Thinking()] if filtered.thought else []
        return [*thoughts, *self._events(self._parts(filtered.text))]

    def end(self) -> list[ReplyEvent]:
        """What was held back, as the reply has ended; half a character stays out.

        EngineFailedError where the model called a tool, but in no way that can be read.
        """
        held = self._reasoning.end()
        parts = self._parts(held) if not self.is_stopped else []
        events = self._events([*parts, *(self._calls.end() if self._calls else [])])
        if self._calls and self._calls.has_failed and not self.has_called and not self._text.is_stopped:
            raise EngineFailedError("the model called a tool in no readable way")
        return [*events, *_delta(self._text.flush())]

    def _parts(self, text: str) -> list[Part]:
        if self._calls is not None:
            return self._calls.push(text)
        return [text]

    def _events(self, parts: Sequence[Part]) -> list[ReplyEvent]:
        events: list[ReplyEvent] = []
        for part in parts:
            if self._text.is_stopped:
                break
            if isinstance(part, ToolCall):
                self.has_called = True
                events += [*_delta(self._text.flush()), part]
            else:
                events += _delta(self._text.push(part))
        return events


def _delta(text: str) -> list[ReplyEvent]:
    return [TextDelta(text)] if text else []
