"""Finds the places where a growing text may be cut, and knows what is open there: a quote, a link, code."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from services.tts.boundaries import MAX_SPACE, Place, Rank, rank_of_wide_mark

_BRACES = frozenset('«»“”„"`[])')
_PLACE = re.compile(
    rf"(?P<space>\s{{1,{MAX_SPACE}}})|(?P<wide>[。！？、，；：])[”」』）】]{{0,2}}\s{{0,{MAX_SPACE}}}|[«»“”„\"`\[\])]"
)


@dataclass(frozen=True)
class Boundary:
    """A place where the text may be cut."""

    end: int  # what comes next begins here, behind the white space
    rank: Rank
    is_quoted: bool = False


class BoundaryScanner:
    """Gives each boundary of a text once, from one character on."""

    def __init__(self, start: int) -> None:
        self._at = start
        self._open_quotes = 0
        self._is_code = False
        self._link = ""  # `[` or `](` while the text or the address of a link goes on

    def scan(self, text: str, *, is_all: bool = False) -> Iterator[Boundary]:
        """Those that are decided now. With `is_all` as if nothing more came, the end of the text among them."""
        for match in _PLACE.finditer(text, self._at):
            if match.lastgroup is None:
                if match.end() == len(text) and not is_all:
                    return  # what follows a `]` decides whether it is a link
                self._pass(text, match.start())
                self._at = match.end()
                continue
            rank = _rank(text, match, is_all=is_all)
            if rank is None:
                return
            self._at = match.end()
            yield self._boundary(match.end(), rank)
        if is_all and not text[-1:].isspace():
            rank = Place.at(text, len(text), len(text), is_all=True).rank()
            yield self._boundary(len(text), rank or Rank.GLUE)

    def _boundary(self, end: int, rank: Rank) -> Boundary:
        if rank is not Rank.LINE and (self._is_code or self._link):
            rank = Rank.GLUE
        return Boundary(end, rank, is_quoted=self._open_quotes > 0)

    def _pass(self, text: str, at: int) -> None:
        """Goes past a mark that opens or closes something."""
        mark = text[at]
        if mark == "`":
            self._is_code = not self._is_code
        elif mark == "[":
            self._link = self._link or "["
        elif mark == "]":
            self._link = "](" if self._link and text.startswith("(", at + 1) else ""
        elif mark == ")":
            self._link = "" if self._link == "](" else self._link
        else:
            self._open_quotes = max(0, self._open_quotes + (1 if _opens(text, at) else -1))


def _rank(text: str, match: re.Match[str], *, is_all: bool) -> Rank | None:
    if match["space"]:
        return Place.at(text, match.start(), match.end(), is_all=is_all).rank()
    return rank_of_wide_mark(match["wide"]) if is_all or match.end() < len(text) else None


def _opens(text: str, at: int) -> bool:
    """Whether a quotation mark opens a quote. Most languages tell by the space before it, French by the mark."""
    if text[at] in "«»":
        return text[at] == "«"
    return at == 0 or text[at - 1].isspace() or text[at - 1] in "([{'’–—"
