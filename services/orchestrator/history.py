"""What was said in a conversation, as the language model is shown it."""

from collections.abc import Iterable
from dataclasses import dataclass

from services.orchestrator.ports import Line, Speaker


@dataclass(frozen=True)
class HistoryLimits:
    """How much is remembered at most: the oldest turns are forgotten first."""

    turns: int
    characters: int


@dataclass(frozen=True)
class Exchange:
    """A turn that is over: what the user said, what the user heard, and what is to be noted if that was not all."""

    said: str
    heard: str
    note: str = ""

    @property
    def size(self) -> int:
        """In characters."""
        return len(self.said) + len(self.heard) + len(self.note)


# Where a limit is reached a quarter is forgotten at once. The mind has read what the conversation begins with; if that
# changed with every turn, it would read all of it anew each time.
_KEPT_SHARE = 0.75


class History:
    """The last turns of one conversation."""

    def __init__(self, limits: HistoryLimits, exchanges: Iterable[Exchange] = ()) -> None:
        self._limits = limits
        self._exchanges = list(exchanges)

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """What is remembered, the oldest first."""
        return tuple(self._exchanges)

    def add(self, exchange: Exchange) -> None:
        """A turn that is over. The last one is always remembered: what is too long for the mind, it cuts itself."""
        self._exchanges.append(exchange)
        if self._exceeds(1):
            while len(self._exchanges) > 1 and self._exceeds(_KEPT_SHARE):
                del self._exchanges[0]

    def prompt(self, user_text: str, system_prompt: str) -> list[Line]:
        """The lines that the next reply follows.

        What the user said before the assistant got a word in is one line with what came after it. A note about a reply
        that was cut off stands at the beginning of the user's next line, where no model takes it for its own words.
        """
        lines = [Line(Speaker.SYSTEM, system_prompt)] if system_prompt else []
        said: list[str] = []
        for exchange in self._exchanges:
            said.append(exchange.said)
            if exchange.heard:
                lines += [Line(Speaker.USER, " ".join(said)), Line(Speaker.ASSISTANT, exchange.heard)]
                said = [exchange.note] if exchange.note else []
        return [*lines, Line(Speaker.USER, " ".join([*said, user_text]))]

    def _exceeds(self, share: float) -> bool:
        """Whether there is more than this share of a limit."""
        characters = sum(exchange.size for exchange in self._exchanges)
        return len(self._exchanges) > self._limits.turns * share or characters > self._limits.characters * share
