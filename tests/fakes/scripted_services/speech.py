"""Cuts text into pieces and makes their audio: the scripted mouth without a wire, without a clock."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from services.common.audio import encode_pcm

CHUNK_MS = 30
_CLAUSE, _SENTENCE = re.compile(r"[,.!?:;]"), re.compile(r"[.!?]")
_FIRST_WORDS = 24  # the longest that a first piece without a mark becomes
_WORD = re.compile(r"\s*\S+\s*")
_LEVEL = 1000


@dataclass(frozen=True)
class Piece:
    """What is spoken at once: these characters, from `start` of the text on."""

    text: str
    start: int
    number: int


@dataclass(frozen=True)
class Chunk:
    """A little of its audio, and the characters that sound in it."""

    audio: bytes
    start: int
    end: int


class Cutter:
    """Takes text in any portions: first gives a clause, then sentences."""

    def __init__(self) -> None:
        self._text = ""
        self._start = 0
        self._count = 0

    def push(self, text: str) -> Iterator[Piece]:
        """The pieces that are complete with this text."""
        self._text += text
        while end := self._end():
            yield self._cut(end)

    def flush(self) -> Iterator[Piece]:
        """The rest."""
        if self._text.strip():
            yield self._cut(len(self._text))

    def _end(self) -> int:
        mark = (_SENTENCE if self._count else _CLAUSE).search(self._text)
        if mark is not None:
            return mark.end()
        words = list(_WORD.finditer(self._text))
        return 0 if self._count or len(words) <= _FIRST_WORDS else words[_FIRST_WORDS - 1].end()

    def _cut(self, end: int) -> Piece:
        piece = Piece(self._text[:end], self._start, self._count)
        self._text = self._text[end:]
        self._start += end
        self._count += 1
        return piece


def chunks(piece: Piece, rate_hz: int, ms_per_character: int) -> Iterator[Chunk]:
    """The audio of a piece, in chunks that sound for 30 ms; the last may be shorter."""
    words = [(match.start(), match.end()) for match in _WORD.finditer(piece.text)]
    duration_ms = len(piece.text) * ms_per_character
    for at_ms in range(0, duration_ms, CHUNK_MS):
        end_ms = min(at_ms + CHUNK_MS, duration_ms)
        first, last = at_ms // ms_per_character, (end_ms - 1) // ms_per_character
        sounding = [word for word in words if word[0] <= last and first < word[1]]
        audio = encode_pcm(np.full((end_ms - at_ms) * rate_hz // 1000, _LEVEL, np.int16))
        yield Chunk(audio, piece.start + sounding[0][0], piece.start + sounding[-1][1])
