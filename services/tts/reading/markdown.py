"""Takes Markdown off a text that comes in pieces, as somebody does who reads it aloud.

Our own scanner, because the parsers that exist build a tree of the whole text and lose which character came from where.
"""

import re
from collections.abc import Iterator
from enum import Enum, auto

from services.tts.reading.latex import read_latex
from services.tts.reading.markdown_inline import strip_inline
from services.tts.reading.marks import last_mark
from services.tts.reading.traced import Traced

_QUOTE = re.compile(r"[ \t]{0,20}+(?:>[ \t]{0,9}+){1,20}+")
_FENCE = re.compile(r"[ \t]{0,40}+(?:[-*+][ \t]{1,9}+)?(```++(?=[^`]*+$)|~~~++)")
_DEFINITION = re.compile(r"[ \t]{0,20}+\[[^\[\]^]{1,200}+\]:[ \t]{0,20}+\S")
_HEADING = re.compile(r"[ \t]{0,20}+#{1,6}+(?:[ \t]++|$)")
_HEADING_END = re.compile(r"\s{1,20}+#++$")
_BOLD_LINE = re.compile(r"[ \t]{0,20}+(?=\*\*[^*]{1,200}+\*\*$)")  # what many a model writes for a heading
_BULLET = re.compile(r"[ \t]{0,40}+[-*+•◦‣▪](?:[ \t]++|$)(?:\[[ xX]\][ \t]++)?")  # with the box of a task
_NUMBER = re.compile(r"[ \t]{0,40}+(?=\d{1,9}+[.)][ \t])")  # which is read: "one. First the flour."
_FORMULA_EDGE = re.compile(r"[ \t]{0,20}+(?:\$\$|\\([\[\]]))[ \t]{0,20}+$")
_SPACED_BAR = re.compile(r"(?:^|(?<=\s))\|(?=\s|$)")
_BAR = re.compile(r"(?<!\\)\|")
_EMPTY = Traced("", ())


class _Line(Enum):
    """What a line is, if it is more than text."""

    TEXT = auto()
    HEADING = auto()
    ITEM = auto()
    ROW = auto()


_OPENINGS = ((_HEADING, _Line.HEADING), (_BOLD_LINE, _Line.HEADING), (_BULLET, _Line.ITEM), (_NUMBER, _Line.ITEM))


class Markdown:
    """Reads one text, piece after piece, and knows where in it the next piece begins.

    Blocks of code are left out: there are hardly any words in them, and nobody follows brackets by ear.
    """

    def __init__(self) -> None:
        self._begins_line = True
        self._line = _Line.TEXT
        self._is_formula = False  # in the lines between `$$` and `$$`
        self._block_end = ""  # the fence or `-->` that ends what is left out, while we are in it

    def strip(self, text: Traced) -> Traced:
        """The next piece without its markup; what is left knows where it came from.

        Headings, items and rows end with a full stop, and cells with a comma, where they have no mark of their own;
        these stand for the line's end and for the bar. An empty line follows a heading.
        """
        return Traced.join(self._strip_line(line) for line in _lines_of(text))

    def _strip_line(self, line: Traced) -> Traced:
        length = len(line.text.rstrip())
        body, rest = line.part(0, length), line.part(length, len(line.text))
        begins, self._begins_line = self._begins_line, line.text.endswith("\n")
        if self._block_end:
            self._look_for_block_end(body.text, begins)
            return _EMPTY
        if begins:
            body = self._open_line(body)
            if not body.text:
                return _EMPTY if length else rest
        if self._is_formula:
            return Traced.join([read_latex(body), rest])
        if _is_row(body.text):
            self._line = _Line.ROW
        content = _read_row(body) if self._line is _Line.ROW else strip_inline(body)
        return Traced.join([content, self._end_line(content.text, rest)])

    def _look_for_block_end(self, text: str, begins: bool) -> None:
        if self._block_end == "-->":
            is_end = "-->" in text
        else:
            marks = text.strip(" \t>")  # a fence may stand in a quotation
            is_end = begins and len(marks) >= len(self._block_end) and set(marks) == set(self._block_end)
        if is_end:
            self._block_end = ""

    def _open_line(self, line: Traced) -> Traced:
        """The line without the marks at its beginning; nothing of one that is not read."""
        self._line = _Line.TEXT
        edge = _FORMULA_EDGE.match(line.text)
        if edge or self._is_formula:
            return self._open_formula_line(line, edge)
        if quote := _QUOTE.match(line.text):
            line = line.part(quote.end(), len(line.text))
        if fence := _FENCE.match(line.text):
            self._block_end = fence[1]
        elif line.text.lstrip().startswith("<!--") and "-->" not in line.text:
            self._block_end = "-->"
        if self._block_end or _is_rule(line.text) or _DEFINITION.match(line.text):
            return _EMPTY
        for pattern, kind in _OPENINGS:
            if mark := pattern.match(line.text):
                self._line = kind
                end = _HEADING_END.search(line.text) if kind is _Line.HEADING else None
                return line.part(mark.end(), end.start() if end else len(line.text))
        return line

    def _open_formula_line(self, line: Traced, edge: re.Match[str] | None) -> Traced:
        """What is left of it: nothing of its first line and its last. No formula has empty lines."""
        if edge:
            self._is_formula = edge[1] == "[" or (edge[1] is None and not self._is_formula)
            return _EMPTY
        self._is_formula = line.text != ""
        return line

    def _end_line(self, content: str, rest: Traced) -> Traced:
        """The white space at the line's end, after the mark that the line lacks."""
        if self._line is _Line.TEXT or "\n" not in rest.text:
            return rest
        mark = Traced(".", rest.sources[:1]) if content.strip() and not last_mark(content) else _EMPTY
        after = Traced("\n", rest.sources[-1:]) if self._line is _Line.HEADING else _EMPTY
        return Traced.join([mark, rest, after])


def _lines_of(text: Traced) -> Iterator[Traced]:
    """Its lines, each with its newline."""
    start = 0
    while start < len(text.text):
        end = text.text.find("\n", start) + 1 or len(text.text)
        yield text.part(start, end)
        start = end


def _is_rule(text: str) -> bool:
    """Whether it is a line across the page, under a heading or under a table's head."""
    marks = "".join(text.split())
    if len(marks) >= 3 and marks[0] in "-*_=" and not marks.strip(marks[0]):
        return True
    return "-" in marks and "|" in marks and not marks.strip("|-:")


def _is_row(text: str) -> bool:
    """Whether bars divide it: those of `a || b` and `|x|` do not."""
    ends = text.strip()
    return _SPACED_BAR.search(text) is not None or (len(ends) > 1 and ends[0] == ends[-1] == "|")


def _read_row(row: Traced) -> Traced:
    """Its cells, with a comma for the bar between two of them."""
    parts: list[Traced] = []
    bars = [bar.start() for bar in _BAR.finditer(row.text)]
    for before, end in zip([-1, *bars], [*bars, len(row.text)], strict=True):
        cell = strip_inline(_trimmed(row.part(before + 1, end)))
        if cell.text and parts:
            comma = " " if last_mark(parts[-1].text) else ", "
            parts.append(Traced(comma, (row.sources[before],) * len(comma)))
        parts += [cell] if cell.text else []
    return Traced.join(parts)


def _trimmed(text: Traced) -> Traced:
    start = len(text.text) - len(text.text.lstrip())
    return text.part(start, len(text.text.rstrip()))
