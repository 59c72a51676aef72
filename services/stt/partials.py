"""LocalAgreement-2: the words that two decodings in a row begin with are agreed, the newest one's others tentative.

Pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

_EVERY_MS = 300  # the first one too: at 200 ms one beginning in five is heard wrong, at 300 one in thirty
_CONFIRM_MS = 150  # after a first one that heard something: whoever interrupts is waited for
_MARKS = ".,;:!?…"


@dataclass(frozen=True)
class Partial:
    """What may be shown of what somebody says."""

    text: str  # agreed words; they only grow
    tentative: str = ""  # what the newest decoding has after them

    @property
    def stability(self) -> float:
        """Which share of it all is agreed."""
        return len(self.text) / max(1, len(f"{self.text} {self.tentative}".strip()))


class Partials:
    """The partials of one utterance."""

    def __init__(self, began_ms: float) -> None:
        self._asked_at_ms = began_ms
        self._previous: list[str] = []
        self._agreed: list[str] = []
        self._shown = Partial("")

    def is_due(self, now_ms: float) -> bool:
        """Whether it is time to decode again."""
        awaits_agreement = bool(self._previous) and not self._agreed
        return now_ms - self._asked_at_ms >= (_CONFIRM_MS if awaits_agreement else _EVERY_MS)

    def asked(self, now_ms: float) -> None:
        """A decoding of what was said until now has begun."""
        self._asked_at_ms = now_ms

    def agree(self, text: str) -> Partial | None:
        """What to show after this decoding; None where that is nothing new.

        What is agreed stays, even where the engine has changed its mind: tentative is what it has after as many words.
        """
        words, previous = _words(text), self._previous
        self._previous = words
        count = agreed_words(previous, words)
        if count > len(self._agreed):
            self._agreed += words[len(self._agreed) : count]
            self._agreed[-1] = _without_marks(self._agreed[-1])  # the sentence may go on
        before, self._shown = self._shown, Partial(" ".join(self._agreed), " ".join(words[len(self._agreed) :]))
        return self._shown if self._shown != before else None


def agreed_words(previous: Sequence[str], current: Sequence[str]) -> int:
    """How many words both begin with, however they are written."""
    pairs = zip(previous, current, strict=False)
    return sum(1 for _ in takewhile(lambda pair: _bare(pair[0]) == _bare(pair[1]), pairs))


def _words(text: str) -> list[str]:
    """The words, each with the marks after it, also where there is a space between them, as before a French `?`."""
    words: list[str] = []
    for part in text.split():
        if part.strip(_MARKS):
            words.append(part)
        elif words:
            words[-1] += f" {part}"
    return words


def _without_marks(word: str) -> str:
    return word.rstrip(f"{_MARKS} ")


def _bare(word: str) -> str:
    return _without_marks(word).lstrip(_MARKS).casefold()
