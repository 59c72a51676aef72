"""Calls of tools, found in the text of a reply that comes in any portions.

A call that nobody can read, or of a tool that was not declared, is neither executed nor shown: it would be spoken. It
is noted as a failure, unless it is only that the reply was cut off.

After a call nothing but further calls is read: models that go on make up the tool's result.
"""

import secrets
from collections.abc import Callable, Sequence
from enum import Enum, auto

from services.llm.engine import Tool, ToolCall
from services.llm.marks import first_mark, unsure
from services.llm.tool_dialects import DIALECTS, ToolDialect, UnreadableCallError, WrittenCall

# Each portion is a try to read the call from its beginning, so this bounds time as well as memory.
_LONGEST_CALL_CHARACTERS = 32_768

Part = str | ToolCall


def make_call_id() -> str:
    """An identifier that no other call has."""
    return f"call_{secrets.token_hex(6)}"


def dialect_of(written: str, call: ToolCall) -> ToolDialect | None:
    """The dialect that the call is written in; None where each finds something else than just that."""
    found = [dialect for dialect in DIALECTS if _finds(dialect, written, call)]
    squeezed = _squeezed(written)
    # Some read the others' calls too; their own begin as they would demand them.
    return min(found, key=lambda dialect: _squeezed(dialect.frame[0] + call.name) not in squeezed, default=None)


def _finds(dialect: ToolDialect, written: str, call: ToolCall) -> bool:
    reader = CallReader(dialect, [Tool(call.name, "", "{}")], lambda: call.id)
    return [part for part in (*reader.push(written), *reader.end()) if part == call or str(part).strip()] == [call]


def _squeezed(text: str) -> str:
    return "".join(text.split())


class _State(Enum):
    BEGINNING = auto()  # it may be a call from its first character
    TEXT = auto()
    CALL = auto()
    AFTER_CALL = auto()


class CallReader:
    """Finds the calls of one reply."""

    def __init__(self, dialect: ToolDialect, tools: Sequence[Tool], make_id: Callable[[], str] = make_call_id) -> None:
        self.has_called = False
        self.has_failed = False  # it meant to call, but that could not be read
        self.is_complete = False  # nothing that follows is read
        self._dialect = dialect
        self._names = {tool.name for tool in tools}
        self._make_id = make_id
        self._held = ""  # nobody knows yet what it is
        self._state = _State.BEGINNING
        self._is_bare = False  # the call began without a mark
        self._steps = {
            _State.BEGINNING: self._begin,
            _State.TEXT: self._read_text,
            _State.CALL: self._read_call,
            _State.AFTER_CALL: self._go_on,
        }

    @property
    def is_inside(self) -> bool:
        """Whether a call has begun, so that no text can follow."""
        return self._state in {_State.CALL, _State.AFTER_CALL}

    def push(self, text: str) -> list[Part]:
        """The text and the calls that are certain with this text."""
        parts: list[Part] = []
        self._held += text
        while not self.is_complete and (certain := self._steps[self._state]()) is not None:
            parts += certain
        return parts

    def end(self, *, cut: bool = False) -> list[Part]:
        """What was held back, as the reply has ended. Where it was cut, what may have become a call is dropped."""
        held, self._held = self._held, ""
        if self.is_complete or self._state is _State.AFTER_CALL:
            return []
        if self._state is _State.CALL:
            self.has_failed = self.has_failed or not cut
            return []
        return [held] if held and not cut else []

    # A step takes away what is certain and gives what comes out of that; None where only more text can tell.

    def _begin(self) -> list[Part] | None:
        is_call = self._dialect.is_bare_call(self._held)
        if is_call is None:
            return None
        self._state = _State.CALL if is_call else _State.TEXT
        self._is_bare = is_call
        return []

    def _read_text(self) -> list[Part] | None:
        mark = self._dialect.opening
        found = first_mark(self._held, [mark])
        end = found.start if found else len(self._held) - unsure(self._held, [mark])
        text, self._held = self._held[:end], self._held[found.end if found else end :]
        if found:
            self._state = _State.CALL
            self._is_bare = False
        elif not text:
            return None
        return [text] if text else []

    def _read_call(self) -> list[Part] | None:
        try:
            read = self._dialect.read(self._held)
        except UnreadableCallError as error:
            return self._answer() if self._is_answer(error) else self._give_up()
        if read is None:
            return self._give_up() if len(self._held) > _LONGEST_CALL_CHARACTERS else None
        written, rest = read
        if self._is_answer(*written):
            return self._answer()
        self._held = rest
        calls = [ToolCall(self._make_id(), call.name, call.arguments_json) for call in written if self._knows(call)]
        self.has_failed = self.has_failed or len(calls) < len(written) or not calls
        self.has_called = self.has_called or bool(calls)
        self.is_complete = self._dialect.is_single
        self._state = _State.AFTER_CALL
        return [*calls]

    def _go_on(self) -> list[Part] | None:
        self._held = self._held.lstrip()
        marks = [mark for mark in (self._dialect.opening, self._dialect.closing) if mark]
        for mark in marks:
            if self._held.startswith(mark):
                self._held = self._held.removeprefix(mark)
                self._state = _State.CALL if mark == self._dialect.opening else _State.AFTER_CALL
                return []
        self.is_complete = not any(mark.startswith(self._held) for mark in marks)
        return None

    def _knows(self, call: WrittenCall) -> bool:
        return call.name in self._names

    def _is_answer(self, *found: WrittenCall | UnreadableCallError) -> bool:
        """Whether it is no call, as without a mark any JSON comes here that begins like one."""
        return self._is_bare and not any(call.has_arguments or call.name in self._names for call in found)

    def _answer(self) -> list[Part]:
        self._state = _State.TEXT
        return []

    def _give_up(self) -> list[Part]:
        self.has_failed = self.is_complete = True
        return []
