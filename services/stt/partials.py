"""LocalAgreement-2: of a partial only the words are shown that two decodings in a row begin with. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

_EVERY_MS = 300
_MARKS = ".,;:!?…"


@dataclass(frozen=True)
class Agreed:
    """What may be shown, and which share of the newest decoding it is."""

    text: str
    stability: float


class Partials:
    """The partials of one utterance."""

    def __init__(self, began_ms: float) -> None:
        self._asked_at_ms = began_ms
        self._previous: list[str] = []
        self._shown: list[str] = []

    def is_due(self, now_ms: float) -> bool:
        """Whether it is time to decode again."""
        return now_ms - self._asked_at_ms >= _EVERY_MS

    def asked(self, now_ms: float) -> None:
        """A decoding of what was said until now has begun."""
        self._asked_at_ms = now_ms

    def agree(self, text: str) -> Agreed | None:
        """What to show after this decoding; None where that is nothing new.

        What is shown stays, even where the engine has changed its mind: only the words after it are added.
        """
        words, previous = text.split(), self._previous
        self._previous = words
        count = agreed_words(previous, words)
        if count <= len(self._shown):
            return None
        self._shown = [*self._shown, *words[len(self._shown) : count]]
        self._shown[-1] = self._shown[-1].rstrip(_MARKS)  # the sentence may go on
        shown = " ".join(self._shown)
        return Agreed(shown, min(1.0, len(shown) / len(text)))


def agreed_words(previous: Sequence[str], current: Sequence[str]) -> int:
    """How many words both begin with, however they are written."""
    pairs = zip(previous, current, strict=False)
    return sum(1 for _ in takewhile(lambda pair: _bare(pair[0]) == _bare(pair[1]), pairs))


def _bare(word: str) -> str:
    return word.strip(_MARKS).casefold()
