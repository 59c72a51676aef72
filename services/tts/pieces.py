"""Cuts text that is still being written into pieces that can be spoken.

The first piece is as short as a clause, so that speech begins early; later ones are sentences, because they sound
better whole. A cut needs white space after the mark: the comma of `3,5` and the dots of `p.m.` never make one alone.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_SENTENCE_END = re.compile(r"[.!?…:;]+[\"'»”’)\]]*\s+|\n+\s*")
_CLAUSE_END = re.compile(r"[,;:.!?…][\"'»”’)\]]*\s+|\s[–—-]\s+|\n+\s*")
_SPACE = re.compile(r"\s+")
_WORD = re.compile(r"\w")

_MIN_FIRST_CHARACTERS = 8  # "Oui, " alone would be over before the next piece is ready
_MAX_FIRST_CHARACTERS = 80
_MAX_CHARACTERS = 240


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
        self._waiting = ""
        self._start = 0
        self._has_spoken = False

    def push(self, text: str) -> Iterator[Piece]:
        """The pieces that are complete with this text."""
        self._waiting += text
        while end := self._find_cut():
            yield self._cut(end)

    def flush(self) -> Iterator[Piece]:
        """The rest, complete or not."""
        if self._waiting:
            yield self._cut(len(self._waiting))

    def _cut(self, end: int) -> Piece:
        piece = Piece(self._waiting[:end], self._start)
        self._waiting = self._waiting[end:]
        self._start += end
        self._has_spoken = self._has_spoken or piece.is_speakable
        return piece

    def _find_cut(self) -> int:
        """Where the next piece ends, or 0."""
        if self._has_spoken:
            pattern, at_least, at_most = _SENTENCE_END, 1, _MAX_CHARACTERS
        else:
            pattern, at_least, at_most = _CLAUSE_END, _MIN_FIRST_CHARACTERS, _MAX_FIRST_CHARACTERS
        for mark in pattern.finditer(self._waiting[:at_most]):
            # White space at the very end may go on with the next portion: the cut would depend on how text comes.
            if mark.end() >= at_least and mark.end() < len(self._waiting):
                return mark.end()
        return self._find_emergency_cut(at_most)

    def _find_emergency_cut(self, at_most: int) -> int:
        """Too long without a mark: after the last word that fits, or inside of a monster."""
        if len(self._waiting) <= at_most:
            return 0
        spaces = [space.end() for space in _SPACE.finditer(self._waiting[:at_most])]
        return spaces[-1] if spaces else at_most
