"""What was said in a conversation, as the language model is shown it."""

from collections import deque

from services.orchestrator.ports import Line, Speaker


class History:
    """The last turns of one conversation."""

    def __init__(self, system_prompt: str, max_turns: int) -> None:
        self._system_prompt = system_prompt
        self._turns: deque[tuple[str, str]] = deque(maxlen=max_turns)

    def add(self, user_text: str, heard_text: str) -> None:
        """A turn that is over: what the user said, and what the user heard."""
        self._turns.append((user_text, heard_text))

    def prompt(self, user_text: str) -> list[Line]:
        """The lines that the next reply follows."""
        lines = [Line(Speaker.SYSTEM, self._system_prompt)] if self._system_prompt else []
        for said, heard in self._turns:
            lines.append(Line(Speaker.USER, said))
            if heard:
                lines.append(Line(Speaker.ASSISTANT, heard))
        lines.append(Line(Speaker.USER, user_text))
        return lines
