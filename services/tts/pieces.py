"""Cuts text that is still being written into pieces that can be spoken.

The first piece is as short as a clause, so that speech begins early; later ones are sentences, because they sound
better whole. None ends inside of a number, an abbreviation, an address, a quote or a link, unless that is too long.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from services.tts.boundaries import LOOK_AHEAD, LOOK_BACK, MAX_SPACE, Rank
from services.tts.scanner import Boundary, BoundaryScanner

_WORD = re.compile(r"\w")
_MIN_FIRST_CHARACTERS = 8  # "Oui, " alone would be over before the next piece is ready
# The longest first, second and later piece: each may last while the text for the next one is being written.
_MAX_CHARACTERS = (80, 160, 240)
_LONGEST = _MAX_CHARACTERS[-1]
_MAX_ADDRESS = 2000  # of which only the host is said
_ADDRESS = re.compile(r"\S{0,40}?(?:://|www\.|\]\(|@)")
_UNDECIDED = MAX_SPACE + LOOK_AHEAD  # behind a place, after which it is surely decided
_STEP = 256  # characters taken in at a time: what stands behind a piece is scanned again for the next one
_JOINERS = frozenset("\u200d\ufe0f\u20e3")
_MAX_CLUSTER = 16


@dataclass(frozen=True)
class Piece:
    """A stretch of the input text, from the character `start` on."""

    text: str
    start: int

    @property
    def end(self) -> int:
        """One past its last character."""
        return self.start + len(self.text)

    @property
    def is_speakable(self) -> bool:
        """Whether there is anything to say in it."""
        return _WORD.search(self.text) is not None


class PieceCutter:
    """Takes text in any portions and gives pieces; joined, they are the text."""

    def __init__(self) -> None:
        self._text = ""  # what is not cut yet, from `_at` on, and a little of what stands before it
        self._at = 0
        self._start = 0  # of the next piece in the whole text
        self._spoken = 0  # pieces
        self._begin()

    def push(self, text: str) -> Iterator[Piece]:
        """The pieces that are complete with this text."""
        for start in range(0, len(text), _STEP):
            self._text += text[start : start + _STEP]
            while end := self._find_cut():
                yield self._cut(end)

    def pause(self) -> Iterator[Piece]:
        """What is there up to the last clause: nothing more is written for now."""
        everything = BoundaryScanner(self._at).scan(self._text, is_all=True)
        ends = [boundary.end for boundary in everything if _is_heard(boundary, Rank.CLAUSE)]
        if ends and ends[-1] > self._at:
            yield self._cut(ends[-1])

    def flush(self) -> Iterator[Piece]:
        """The rest, complete or not."""
        if self._at < len(self._text):
            yield self._cut(len(self._text))

    def _begin(self) -> None:
        self._scanner = BoundaryScanner(self._at)
        self._passed: list[Boundary] = []  # that were not good enough

    def _cut(self, end: int) -> Piece:
        piece = Piece(self._text[self._at : end], self._start)
        self._start = piece.end
        self._spoken += piece.is_speakable
        self._text = self._text[max(0, end - LOOK_BACK) :]
        self._at = min(end, LOOK_BACK)
        self._begin()
        return piece

    def _find_cut(self) -> int:
        """Where the next piece ends, or 0."""
        at_most = _MAX_CHARACTERS[min(self._spoken, len(_MAX_CHARACTERS) - 1)]
        for boundary in self._scanner.scan(self._text):
            if boundary.end - self._at > at_most:
                return self._find_emergency_cut(at_most, boundary)
            if self._is_good(boundary):
                return boundary.end
            self._passed.append(boundary)
        if len(self._text) - self._at < at_most + _UNDECIDED:
            return 0
        return self._find_emergency_cut(at_most, None)

    def _is_good(self, boundary: Boundary) -> bool:
        if self._spoken:
            return _is_heard(boundary, Rank.SENTENCE)
        length = len(self._text[self._at : boundary.end].strip())
        return _is_heard(boundary, Rank.CLAUSE) and (boundary.rank is Rank.LINE or length >= _MIN_FIRST_CHARACTERS)

    def _find_emergency_cut(self, at_most: int, beyond: Boundary | None) -> int:
        """Too long without a good place: the best of those that were passed, the last of these."""
        least = self._at + at_most // 4
        for rank, start in ((Rank.SENTENCE, least), (Rank.CLAUSE, least), (Rank.WORD, 0), (Rank.GLUE, 0)):
            ends = [boundary.end for boundary in self._passed if boundary.rank >= rank and boundary.end >= start]
            if ends:
                return ends[-1]
        return self._find_cut_in_monster(beyond)

    def _find_cut_in_monster(self, beyond: Boundary | None) -> int:
        """No place at all: it is a single word."""
        at_most = _MAX_ADDRESS if _ADDRESS.match(self._text, self._at, self._at + _LONGEST) else _LONGEST
        if beyond is not None and beyond.end - self._at <= at_most:
            return beyond.end
        if len(self._text) - self._at < at_most + _UNDECIDED:
            return 0
        return _between_characters(self._text, self._at + at_most)


def _is_heard(boundary: Boundary, least: Rank) -> bool:
    """Whether a listener would take the place for an end."""
    return boundary.rank is Rank.LINE or (boundary.rank >= least and not boundary.is_quoted)


def _between_characters(text: str, end: int) -> int:
    """Not inside of what people see as one character, such as a letter and its accent."""
    for place in range(end, end - _MAX_CLUSTER, -1):
        is_inside = unicodedata.combining(text[place]) or text[place] in _JOINERS or text[place - 1] == "\u200d"
        if not is_inside:
            return place
    return end
