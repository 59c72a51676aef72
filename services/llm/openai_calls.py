"""The tool calls of a streamed chat completion, put together from their fragments. No I/O."""

import json
from collections.abc import Callable, Set
from dataclasses import dataclass

from services.common.errors import UnusableAnswerError
from services.llm.engine import ToolCall
from services.llm.openai_chunk import CallFragment, whole_characters

_MOST_CALLS = 64


@dataclass
class _Call:
    """A tool call whose fragments come one by one."""

    id: str
    name: str
    arguments: str = ""

    def read(self, declared: Set[str]) -> ToolCall | None:
        """The call, if the tool was declared and its arguments can be read."""
        arguments = _read_arguments(self.arguments)
        if self.name not in declared or arguments is None:
            return None
        return ToolCall(whole_characters(self.id), self.name, arguments)


class CallAssembler:
    """The calls of one reply. UnusableAnswerError where the model called in a way that is no use."""

    def __init__(self, make_id: Callable[[], str]) -> None:
        """`make_id` names the calls that a server leaves without a name."""
        self._make_id = make_id
        self._calls: list[_Call] = []
        self._call_at: dict[int | None, _Call] = {}

    @property
    def has_begun(self) -> bool:
        """Whether the model began a call."""
        return bool(self._calls)

    def add(self, fragment: CallFragment) -> None:
        """Puts a fragment to its call."""
        call = self._call_at.get(fragment.place)
        # Some Ollamas give each of several calls the index 0, and some servers give none.
        if call is None or (fragment.name and (fragment.place is None or fragment.id not in {"", call.id})):
            call = _Call(fragment.id or self._make_id(), fragment.name)
            self._calls.append(call)
            self._call_at[fragment.place] = call
        if len(self._calls) > _MOST_CALLS:
            raise UnusableAnswerError(f"the model calls more than {_MOST_CALLS} tools at once")
        call.arguments += fragment.arguments

    def finish(self, declared: Set[str], *, is_cut: bool) -> list[ToolCall]:
        """The calls of declared tools. `is_cut`: the reply was full, maybe in the middle of the last one."""
        calls = [call.read(declared) for call in self._calls]
        # Without arguments it may be a whole call or the beginning of one; what was not said must not be done.
        if is_cut and calls and (calls[-1] is None or not self._calls[-1].arguments):
            calls.pop()
        readable = [call for call in calls if call is not None]
        if len(readable) < len(calls):
            raise UnusableAnswerError("the model called a tool in a way that cannot be read")
        return readable


def _read_arguments(text: str) -> str | None:
    """The object in plain form, or None where it is none. Some servers write nothing at all for no arguments."""
    try:
        value = json.loads(text or "{}")
        if not isinstance(value, dict):
            return None
        return whole_characters(json.dumps(value, ensure_ascii=False, allow_nan=False))
    except (ValueError, RecursionError):
        return None
