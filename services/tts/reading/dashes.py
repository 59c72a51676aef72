"""The dash: minus before or between the values of a formula, `to` between the ends of a range, else silent."""

import re

from services.tts.reading.numbers import NumberGrammar
from services.tts.reading.operands import NUMBER_AFTER, SPACES, VALUE_AFTER, VALUE_BEFORE, text_left_of
from services.tts.reading.rules import Begins, Rule, rule, text_after

_MEASURE_BEFORE = re.compile(
    r"(?:\A|[\s(\[«\"'’$€£/]|[\s(][-−])[0-9](?:[0-9.,:h\u00a0\u202f]{0,16}[0-9h])? ?"
    r"(?:[^\W\d_]{1,3}|[ap]\.m\.|[°%€$£]C?)?\Z"
)
_WHOLE_BEFORE = re.compile(r"(?<![0-9^_])[0-9]{1,9}\Z")  # but no power, nor an index
_WHOLE_AFTER = re.compile(r"[0-9]{1,9}")
_CHAIN = re.compile(r"[0-9][-–][0-9]{1,12}\Z")
_CHAIN_AFTER = re.compile(r"[0-9]{1,12}[-–][0-9]")
# The minus of a term: `= -b`, `(-2`, `-x + 2` at the beginning; but neither `ls -v` nor `Paris -le-Grand`.
_OPERATOR_BEFORE = re.compile(r"[=<>≤≥≠≈(\[*/×÷⋅·+±√⁄]\Z")
_TERM_AFTER = re.compile(r"[-−+±√∛(]{0,2}(?:[0-9∞]|[^\W\d_]{1,2}(?![^\W_²³])|[^\W\d_]{2,4}\()")
_VARIABLE_BEFORE = re.compile(r"(?<![^\W_])[a-z]\Z")  # of x-1
_SUM_BEGINS = re.compile(r"[^\W\d_]{1,2}(?:[²³]| ?[-−+*/=^×<>≤≥])")
_SUM = r"[0-9][0-9.,+*/×÷ ()−-]{0,20}"
_SUM_AFTER = re.compile(rf"{_SUM}= ?[-−]?[0-9a-z?]")
_SUM_BEFORE = re.compile(rf"= ?[-−]?{_SUM}\Z")


class Dashes:
    """The rule for them."""

    def __init__(self, numbers: NumberGrammar, minus: str) -> None:
        self._numbers = numbers
        self._minus = minus

    def rule(self) -> Rule:
        """For all kinds of dashes."""
        return rule(r"[-−–—]", self._say, Begins.SIGN)

    def _say(self, match: re.Match[str]) -> str | None:
        left, right = text_left_of(match), text_after(match)
        before, after = left.rstrip(SPACES), right.lstrip(SPACES)
        is_joined_left, is_joined_right = left[-1:].strip() != "", right[:1].strip() != ""
        if match[0] in "-−" and _is_minus(left, right):
            return self._minus
        if match[0] == "−" and is_joined_right and not is_joined_left and _TERM_AFTER.match(after):
            return self._minus
        if _CHAIN.search(left) or (is_joined_left and _CHAIN_AFTER.match(right)):
            return None  # 1-2-3 is no range
        if is_joined_right and not is_joined_left:
            return self._minus if NUMBER_AFTER.match(after) else None
        if is_joined_left != is_joined_right:
            return None
        return self._say_between(match[0], before, after, is_joined=is_joined_left)

    def _say_between(self, dash: str, before: str, after: str, *, is_joined: bool) -> str | None:
        rises = _rises(before, after)
        if dash == "−" or (dash == "-" and not is_joined and not rises and VALUE_BEFORE.search(before)):
            return self._minus if VALUE_BEFORE.search(before) and VALUE_AFTER.match(after) else None
        is_range = _MEASURE_BEFORE.search(before) and NUMBER_AFTER.match(after) and not _is_code(before, after)
        return self._numbers.to if is_range else None


def _is_minus(left: str, right: str) -> bool:
    """Whether a formula around the dash says so."""
    before, after = left.rstrip(SPACES), right.lstrip(SPACES)
    if before[-1:].isdigit():
        is_result = _SUM_BEFORE.search(before) is not None and not _rises(before, after)
        return _SUM_AFTER.match(after) is not None or (is_result and after[:1].isdigit())
    if _VARIABLE_BEFORE.search(left) and right[:1].isdigit():
        return True
    if right != after or not _TERM_AFTER.match(after):
        return False
    is_first = not before or before[-1] in "\n"
    return _OPERATOR_BEFORE.search(before) is not None or (is_first and _SUM_BEGINS.match(after) is not None)


def _ends(before: str, after: str) -> tuple[int, int] | None:
    first, last = _WHOLE_BEFORE.search(before), _WHOLE_AFTER.match(after)
    return (int(first[0]), int(last[0])) if first and last else None


def _rises(before: str, after: str) -> bool:
    ends = _ends(before, after)
    return ends is not None and ends[0] < ends[1]


def _is_code(before: str, after: str) -> bool:
    """50-50 is no range; nor is 737-800, for nobody rounds one end and not the other."""
    ends = _ends(before, after)
    return ends is not None and (ends[0] == ends[1] or (ends[0] % 5 != 0 and ends[1] % 100 == 0 and ends[0] > 100))
