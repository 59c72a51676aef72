"""What was said in a conversation, as the language model is shown it."""

from dataclasses import dataclass

from services.orchestrator.ports import Line, Speaker


@dataclass(frozen=True)
class HistoryLimits:
    """How much is remembered at most: the oldest turns are forgotten first."""

    turns: int
    characters: int


# Where a limit is reached a quarter is forgotten at once. The mind has read what the conversation begins with; if that
# changed with every turn, it would read all of it anew each time.
_KEPT_SHARE = 0.75


class History:
    """The last turns of one conversation."""

    def __init__(self, system_prompt: str, limits: HistoryLimits) -> None:
        self._system_prompt = system_prompt
        self._limits = limits
        self._turns: list[tuple[str, str]] = []

    def add(self, user_text: str, heard_text: str) -> None:
        """A turn that is over: what the user said, and what the user heard."""
        self._turns.append((user_text, heard_text.strip()))
        if self._exceeds(1):
            while self._turns and self._exceeds(_KEPT_SHARE):
                del self._turns[0]

    def prompt(self, user_text: str) -> list[Line]:
        """The lines that the next reply follows."""
        lines = [Line(Speaker.SYSTEM, self._system_prompt)] if self._system_prompt else []
        for said, heard in self._turns:
            lines.append(Line(Speaker.USER, said))
            if heard:
                lines.append(Line(Speaker.ASSISTANT, heard))
        lines.append(Line(Speaker.USER, user_text))
        return lines

    def _exceeds(self, share: float) -> bool:
        """Whether there is more than this share of a limit."""
        characters = sum(len(said) + len(heard) for said, heard in self._turns)
        return len(self._turns) > self._limits.turns * share or characters > self._limits.characters * share
