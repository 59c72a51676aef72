"""LocalAgreement-2: of a partial only the words are shown that two decodings in a row begin with. Pure."""

from dataclasses import dataclass

_EVERY_MS = 300


@dataclass(frozen=True)
class Agreed:
    """What may be shown, and which share of the newest decoding it is."""

    text: str
    stability: float


class Partials:
    """The partials of one utterance."""

    def __init__(self, began_ms: float) -> None:
        self._asked_at_ms = began_ms
        self._previous = ""
        self._shown = ""

    def is_due(self, now_ms: float) -> bool:
        """Whether it is time to decode again."""
        return now_ms - self._asked_at_ms >= _EVERY_MS

    def asked(self, now_ms: float) -> None:
        """A decoding of what was said until now has begun."""
        self._asked_at_ms = now_ms

    def agree(self, text: str) -> Agreed | None:
        """What to show after this decoding; None where that is nothing new."""
        agreed = agreed_prefix(self._previous, text)
        self._previous = text
        if agreed == self._shown or agreed_prefix(self._shown, agreed) != self._shown:
            return None  # nothing new, or the engine takes back what was shown: then what is shown stays
        self._shown = agreed
        return Agreed(agreed, len(agreed) / len(text))


def agreed_prefix(previous: str, current: str) -> str:
    """The words that both begin with."""
    agreed = []
    for one, other in zip(previous.split(), current.split(), strict=False):
        if one != other:
            break
        agreed.append(one)
    return " ".join(agreed)
