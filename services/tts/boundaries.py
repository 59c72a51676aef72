"""How good a place between two words is for a cut. Pure.

A place is judged once the next word has begun, and what comes later does not change the judgement. So it does not
matter in which portions a text comes.
"""

import re
from dataclasses import dataclass
from enum import IntEnum

from services.tts.abbreviations import Dot, kind_of_dot
from services.tts.reading.operands import VALUE_AFTER, VALUE_BEFORE

# Characters behind a place that may matter to it, and characters of its line before it.
LOOK_AHEAD, LOOK_BACK = 8, 120
MAX_SPACE = 32  # longer white space counts as an empty line
# Who breaks a line off so early means it, and so does who writes longer ones than prose is wrapped at.
_SHORT_LINE, _LONG_LINE = 40, 100

_ENDS = (*".!?…؟।۔",)
_STOPS = (*",;:،؛",)
_DASHES = (*"–—-",)
_OPENING = (*"«“„([{¿¡",)
_CLOSING = "\"'”’»)]*_~`"
_WIDE_ENDS = "。！？"
_BELONGS_BEFORE = (*"!?;:»…؟،؛", "..")  # French puts a space before some of these
_UNBREAKABLE = frozenset("\u00a0\u2007\u202f")
_NEXT_WORD = re.compile(r"[«\"“„‘'(\[*_~`¿¡\s–—-]*(.)?", re.DOTALL)
_LINE_MARK = re.compile(r"[-*+•–—]\s|[>|]|#{1,6}\s|\d{1,3}[.)]\s|`{3}|~{3}")
_LINE_MARK_BEGUN = re.compile(r"[-*+•–—]?|#{1,6}|\d{1,3}[.)]?|`{1,2}|~{1,2}")
_ADDRESS = re.compile(r"\w[./@:]\w")
_LIST_NUMBER = re.compile(r"(?<!\w)\d{1,3}[.)]\s")


class Rank(IntEnum):
    """How good a place for a cut is."""

    GLUE = 0  # what stands on both sides belongs together: `14 h`, `M. Dupont`
    WORD = 1
    CLAUSE = 2
    SENTENCE = 3
    LINE = 4  # of a paragraph, a heading, an item: also where a quote or a bracket is still open


@dataclass(frozen=True)
class Place:
    """White space, and what is written around it."""

    line: str  # before it, from where its line begins
    space: str
    after: str
    is_all: bool  # whether more text would tell no more

    @classmethod
    def at(cls, text: str, start: int, end: int, *, is_all: bool) -> "Place":
        """The white space from `start` to `end`; with `is_all`, nothing comes behind the text."""
        earliest = max(0, start - LOOK_BACK)
        line_start = text.rfind("\n", earliest, start) + 1 or earliest
        after = text[end : end + LOOK_AHEAD]
        return cls(text[line_start:start], text[start:end], after, is_all or len(after) == LOOK_AHEAD)

    def rank(self) -> Rank | None:
        """How good it is; None while that is undecided."""
        if not self.after and not self.is_all:
            return None
        if "\n" in self.space or len(self.space) == MAX_SPACE:
            ends_line = self._ends_line()
            if ends_line is not False:
                return ends_line and Rank.LINE
        if self.after == "." and not self.is_all:
            return None
        if self.after.startswith(_BELONGS_BEFORE) or self.line.endswith(_OPENING):
            return Rank.GLUE
        return self._rank_by_words()

    def _ends_line(self) -> bool | None:
        """Whether a line break is more than white space in a wrapped paragraph; None while undecided."""
        if self.space.count("\n") != 1 or not _SHORT_LINE < len(self.line) <= _LONG_LINE:
            return True
        if _LINE_MARK.match(self.line.lstrip()) or _LINE_MARK.match(self.after):
            return True
        return None if not self.is_all and _LINE_MARK_BEGUN.fullmatch(self.after) else False

    def _rank_by_words(self) -> Rank | None:
        core = _without_closing(self.line)
        between_digits = core[-2:-1].isdigit() and self.after[:1].isdigit()
        if not self.space and _may_go_on(core):
            return Rank.GLUE
        if core.endswith(_ENDS):
            return self._rank_of_end(core)
        if core.endswith(_STOPS):
            return Rank.GLUE if between_digits else Rank.CLAUSE
        if core.endswith(_DASHES):
            return self._rank_of_dash(core)
        is_tied = core[-1:].isdigit() or self.after[:1].isdigit() or self.after.startswith(_DASHES)
        return Rank.GLUE if is_tied or _UNBREAKABLE.issuperset(self.space) else Rank.WORD

    def _rank_of_end(self, core: str) -> Rank | None:
        first = _NEXT_WORD.match(self.after)
        letter = (first and first[1]) or ""
        if not letter and not self.is_all:
            return None
        if core.endswith(("…", "..")):
            return Rank.WORD if letter.islower() else Rank.SENTENCE
        if core.endswith(".") and (core == self.line or not letter.islower()):
            return self._rank_of_dot(core, letter)
        return Rank.CLAUSE if letter.islower() else Rank.SENTENCE  # `« Viens. » dit-il`

    def _rank_of_dot(self, core: str, letter: str) -> Rank | None:
        """`letter` is the first one of the next word. Where that is none, two sentences in one piece do no harm."""
        kind = kind_of_dot(core[:-1])
        if kind is Dot.PART:
            return Rank.GLUE
        if kind is Dot.PART_OR_END:
            return Rank.SENTENCE if letter.isupper() else Rank.WORD
        if not letter.isdigit():  # else `(dép. 33)`, where nobody knows all of them; but `Ensuite. 2. Le beurre`
            return Rank.CLAUSE if letter.islower() else Rank.SENTENCE
        if not self.is_all:
            return None
        return Rank.SENTENCE if _LIST_NUMBER.search(self.after) else Rank.CLAUSE

    def _rank_of_dash(self, core: str) -> Rank | None:
        before = core[:-1].rstrip()
        stands_alone = core[-2:-1].isspace() or core[-1] == "—"
        if not before or not stands_alone or "=" in before:
            return Rank.GLUE
        if VALUE_BEFORE.search(before) is None:
            return Rank.CLAUSE
        if not self.is_all:
            return None
        return Rank.GLUE if VALUE_AFTER.match(self.after) else Rank.CLAUSE


def rank_of_wide_mark(mark: str) -> Rank:
    """Of the marks of scripts that put no white space behind them."""
    return Rank.SENTENCE if mark in _WIDE_ENDS else Rank.CLAUSE


def _without_closing(line: str) -> str:
    core = line.rstrip(_CLOSING)
    return core.rstrip().rstrip(_CLOSING) if "»" in line[len(core) :] else core


def _may_go_on(core: str) -> bool:
    """Where a text stops for now: whether it is in the middle of a word, a number or an address."""
    ends_clause = core.endswith((*_ENDS, *_STOPS))
    return not ends_clause or core[-2:-1].isdigit() or _ADDRESS.search(core.rsplit(maxsplit=1)[-1]) is not None
