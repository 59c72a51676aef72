"""A streamed chat completion of OpenAI's HTTP API, from the data of its events to those of a reply. No I/O."""

from collections.abc import Callable

from services.common.errors import EngineFailedError, UnusableAnswerError
from services.llm.engine import (
    AtWork,
    Finished,
    FinishReason,
    Generation,
    ReplyEvent,
    TextDelta,
    ToolCall,
    ToolChoice,
    Usage,
)
from services.llm.openai_calls import CallAssembler
from services.llm.openai_chunk import Chunk, read_chunk, whole_characters
from services.llm.think import ThinkFilter
from services.llm.tool_calls import make_call_id

_DONE = "[DONE]"
_CUT = "length"
_REASONS = {
    _CUT: FinishReason.LENGTH,
    "tool_calls": FinishReason.TOOL_CALLS,
    "function_call": FinishReason.TOOL_CALLS,
}
# Of a reply that must call a tool: a few hundred tokens are said before a call, if anything is.
_MOST_HELD_CHARACTERS = 32_768


class CompletionReader:
    """Puts one reply together.

    EngineFailedError where the server sends what is no reply; UnusableAnswerError where the model did not do as asked.
    """

    def __init__(self, request: Generation, make_id: Callable[[], str] = make_call_id) -> None:
        """`make_id` names the calls that a server leaves without a name."""
        self.is_done = False  # nothing more will come
        callable_ = request.tools if request.tool_choice is not ToolChoice.NONE else ()
        self._tools = {tool.name for tool in callable_}
        # Servers that know no tool_choice (Ollama) may answer with text, which must not get out.
        self._must_call = request.tool_choice is ToolChoice.REQUIRED
        self._calls = CallAssembler(make_id)
        self._filter = ThinkFilter() if request.format is None else None  # "<think>" in JSON is content
        self._half = ""
        self._held = ""
        self._has_begun = False
        self._reason: str | None = None
        self._usage: Usage | None = None
        self._deltas = 0

    @property
    def is_complete(self) -> bool:
        """Whether the model is done; the count of tokens may still follow."""
        return self.is_done or self._reason is not None

    def read(self, data: str) -> list[ReplyEvent]:
        """The events that are certain with the next piece of data."""
        if data == _DONE:
            self.is_done = True
            return []
        chunk = read_chunk(data)
        text = self._take(chunk)
        if text:
            return [TextDelta(text)]
        # An empty piece is a sign of life only later: some servers (LocalAI) send one before they read the prompt.
        if chunk.is_written or (self._has_begun and not self.is_complete):
            return [AtWork()]
        return []

    def end(self) -> list[ReplyEvent]:
        """What was held back, the calls, and the end."""
        if not self.is_complete:
            raise EngineFailedError("the server ended the reply before it was complete")
        text = self._held + (self._filter.end() if self._filter else "")
        is_cut = self._reason == _CUT
        calls = self._calls.finish(self._tools, is_cut=is_cut)
        # What was cut off might have become a call, but not where the model spoke instead.
        if self._must_call and not calls and not (is_cut and (self._calls.has_begun or not text.strip())):
            raise UnusableAnswerError("the model called no tool, though one was asked for")
        usage = self._usage or Usage(completion_tokens=self._deltas)
        return [*([TextDelta(text)] if text else []), *calls, Finished(self._finish_reason(calls), usage)]

    def _finish_reason(self, calls: list[ToolCall]) -> FinishReason:
        reason = FinishReason.TOOL_CALLS if calls else _REASONS.get(self._reason or "", FinishReason.STOP)
        if reason is FinishReason.TOOL_CALLS and not calls:
            raise UnusableAnswerError("the server speaks of a tool call, and sends none")
        return reason

    def _take(self, chunk: Chunk) -> str:
        """What can be shown with this chunk."""
        self._has_begun = self._has_begun or chunk.is_written
        self._deltas += bool(chunk.content or chunk.reasons)
        self._usage = chunk.usage or self._usage
        for fragment in chunk.fragments:
            self._calls.add(fragment)
        self._reason = chunk.finish_reason or self._reason
        text = self._whole(chunk.content) if chunk.content else ""
        if self._filter:
            text = self._filter.push(text).text
        return self._hold(text) if self._must_call else text

    def _whole(self, content: str) -> str:
        """JSON can cut a character such as 🎉 in two halves, which come one after the other."""
        text = self._half + content
        self._half = text[-1] if "\ud800" <= text[-1] <= "\udbff" else ""
        return whole_characters(text)

    def _hold(self, text: str) -> str:
        """Nothing is out until there is a call, so that without one the next engine can take over."""
        self._held += text
        if len(self._held) > _MOST_HELD_CHARACTERS:
            raise UnusableAnswerError("the model speaks on and on, though a call was asked for")
        return ""
