"""What was said in a conversation, as the language model is shown it."""

from collections import deque
from dataclasses import dataclass

from services.orchestrator.ports import Line, Speaker


@dataclass(frozen=True)
class HistoryLimits:
    """How much is remembered: the oldest turns are forgotten first."""

    turns: int
    characters: int


class History:
    """The last turns of one conversation."""

    def __init__(self, system_prompt: str, limits: HistoryLimits) -> None:
        self._system_prompt = system_prompt
        self._limits = limits
        self._turns: deque[tuple[str, str]] = deque(maxlen=limits.turns)

    def add(self, user_text: str, heard_text: str) -> None:
        """A turn that is over: what the user said, and what the user heard."""
        self._turns.append((user_text, heard_text.strip()))
        while self._turns and self._characters() > self._limits.characters:
            self._turns.popleft()

    def prompt(self, user_text: str) -> list[Line]:
        """The lines that the next reply follows."""
        lines = [Line(Speaker.SYSTEM, self._system_prompt)] if self._system_prompt else []
        for said, heard in self._turns:
            lines.append(Line(Speaker.USER, said))
            if heard:
                lines.append(Line(Speaker.ASSISTANT, heard))
        lines.append(Line(Speaker.USER, user_text))
        return lines

    def _characters(self) -> int:
        return sum(len(said) + len(heard) for said, heard in self._turns)
