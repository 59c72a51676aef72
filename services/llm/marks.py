"""Finding marks in text that comes in any portions."""

from collections.abc import Iterable
from typing import NamedTuple


class Found(NamedTuple):
    """A mark in a text."""

    start: int
    end: int
    mark: str


def first_mark(text: str, marks: Iterable[str]) -> Found | None:
    """The mark that begins first; of those that begin there, the longest."""
    found = [Found(at, at + len(mark), mark) for mark in marks if (at := text.find(mark)) >= 0]
    return min(found, key=lambda one: (one.start, -one.end), default=None)


def unsure(text: str, marks: Iterable[str]) -> int:
    """How many characters at the end may be the start of a mark."""
    return max((_begun(text, mark) for mark in marks), default=0)


def _begun(text: str, mark: str) -> int:
    longest = min(len(mark) - 1, len(text))
    return next((length for length in range(longest, 0, -1) if text.endswith(mark[:length])), 0)
