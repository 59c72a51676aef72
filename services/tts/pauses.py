"""The silence that is due between two phrases that are heard, and at the ends of a text."""

from dataclasses import dataclass

from services.tts.phrases import Phrase
from services.tts.reading.ssml_values import LONGEST_BREAK_MS
from services.tts.spans import Span


@dataclass(frozen=True)
class Pause:
    """Silence, and the characters of the input that ask for it."""

    ms: int
    span: Span


class Pauses:
    """Adds them up over the phrases of one text.

    Of those that a reader makes the longest counts, and none at the ends: there it would only keep somebody waiting.
    Those that were asked for add up, to the longest one at most, and count everywhere.
    """

    def __init__(self) -> None:
        self.has_begun = False  # whether anything was heard
        self._made_ms = 0
        self._asked_ms = 0
        self._span = Span(0, 0)

    def between(self) -> Pause:
        """What is due before the next phrase that is heard."""
        asked = self.at_end()
        return Pause(max(asked.ms, self._made_ms), asked.span) if self.has_begun else asked

    def at_end(self) -> Pause:
        """What is due if no other phrase is heard."""
        return Pause(min(self._asked_ms, LONGEST_BREAK_MS), self._span)

    def add(self, phrase: Phrase, *, is_heard: bool) -> None:
        """The next phrase, and whether there is any sound in it."""
        if is_heard:
            self.has_begun = True
            self._made_ms = self._asked_ms = 0
        self._made_ms = max(self._made_ms, phrase.pause_ms)
        if phrase.asked_ms:
            self._span = Span(self._span.start if self._asked_ms else phrase.start, phrase.end)
        self._asked_ms += phrase.asked_ms
