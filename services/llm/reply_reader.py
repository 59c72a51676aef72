"""From the bytes of a reply's tokens to its events."""

import codecs
from collections.abc import Callable, Sequence

from services.common.errors import UnusableAnswerError
from services.llm.engine import AtWork, ReplyEvent, TextDelta, Tool, ToolCall
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
        filters_thinking: bool = True,
        dialect: ToolDialect | None = None,
        tools: Sequence[Tool] = (),
        make_id: Callable[[], str] = make_call_id,
    ) -> None:
        """`thinking`: the prompt ends inside of reasoning.

        `filters_thinking`: not where the reply has a prescribed form, in which every mark is content.
        `dialect`: how the model writes calls. They are never shown; only those of `tools` come out.
        """
        # A model may write bytes that are no character at all; they are left out, never shown as a mark.
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="ignore")
        self._reasoning = ThinkFilter(thinking)
        self._is_filtered = filters_thinking
        self._has_tools = bool(tools)
        may_call = self._has_tools or filters_thinking  # a prescribed form without tools is none of calls
        self._calls = CallReader(dialect, tools, make_id) if dialect and may_call else None
        self._text = ReplyText(stop)
        self._has_said = False
        self.has_called = False

    @property
    def is_stopped(self) -> bool:
        """Whether nothing that follows counts: a stop sequence was met, or the calls are complete."""
        return self._text.is_stopped or (self._calls is not None and self._calls.is_complete)

    def push(self, piece: bytes) -> list[ReplyEvent]:
        """What is certain with these bytes, or a sign of life where that is nothing."""
        if self.is_stopped or not piece:
            return []
        return self._events(self._parts(self._decoder.decode(piece))) or [AtWork()]

    def end(self, cut: bool = False) -> list[ReplyEvent]:
        """What was held back, as the reply has ended; half a character stays out.

        `cut`: it ended because it may not be longer; then the beginning of a mark, or of a call, stays out as well.
        UnusableAnswerError where the model called a tool, but in no way that can be read.
        """
        parts: list[Part] = []
        if not self.is_stopped:
            held = self._reasoning.end()
            parts = self._read(held) if not cut else []
        if self._calls:
            parts += self._calls.end(cut=cut)
        events = [*self._events(parts), *self._said(self._text.flush())]
        if self._calls and self._calls.has_failed and self._is_useless:
            raise UnusableAnswerError("the model called a tool that it may not call, or in no readable way")
        return events

    @property
    def _is_useless(self) -> bool:
        """Whether nothing came of a call but, at most, words that something is about to be done."""
        return not self.has_called and not self._text.is_stopped and (self._has_tools or not self._has_said)

    def _parts(self, text: str) -> list[Part]:
        """Filters up to where a call begins, which can be in the middle of the text: marks inside of it are content."""
        if not self._is_filtered:
            return self._read(text)
        if self._calls is None:
            return self._read(self._reasoning.push(text).text)
        parts: list[Part] = []
        for at, character in enumerate(text):
            if self._calls.is_inside:
                self._is_filtered = False
                return _joined([*parts, *self._read(text[at:])])
            parts += self._read(self._reasoning.push(character).text)
        return _joined(parts)

    def _read(self, text: str) -> list[Part]:
        return self._calls.push(text) if self._calls else [text]

    def _events(self, parts: Sequence[Part]) -> list[ReplyEvent]:
        events: list[ReplyEvent] = []
        for part in parts:
            if self._text.is_stopped:
                break
            if isinstance(part, ToolCall):
                self.has_called = True
                events += [*self._said(self._text.flush()), part]
            else:
                events += self._said(self._text.push(part))
        return events

    def _said(self, text: str) -> list[ReplyEvent]:
        self._has_said = self._has_said or bool(text.strip())
        return [TextDelta(text)] if text else []


def _joined(parts: Sequence[Part]) -> list[Part]:
    """With neighbouring texts as one."""
    joined: list[Part] = []
    for part in parts:
        if isinstance(part, str) and joined and isinstance(joined[-1], str):
            joined[-1] += part
        else:
            joined.append(part)
    return joined
