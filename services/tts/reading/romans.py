"""Roman numerals: of kings, popes, chapters and centuries. Elsewhere such letters are letters."""

import re
from collections.abc import Callable

from services.tts.reading.rules import WORD_END, Begins, Rule, rule, text_after, text_before, word_before

_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}
_NUMERAL = r"(?=[IVXLC])(?:C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})"
# After any name: only letters that make no common abbreviation (CD, CV, XL, XXX).
_SAFE = re.compile(r"(?!XX\Z|XXX)[IVX]{2,6}")
_NAMED_PART = re.compile(r"([^\W\d_]{1,40})\.?[\s\u00a0]{1,2}\Z")
_LINE_START = re.compile(r"(?:\A|\n)[ \t]{0,9}\Z")
_SHORT_LINE = re.compile(r"\.[ \u00a0](?:[^\s.!?]{1,20}[ \u00a0]?){1,5}\.?[ \t]{0,3}\n")
_NEXT_PART = re.compile(r"\.\s{0,3}(?:[A-ZÀ-Þ]|\Z)")
_CLOSES = re.compile(r"\s{0,2}(?:[.,;:!?)»”]|\Z|(?:of|died|reigned|ruled|de|d['’])\b)")


class Romans:
    """Rules for numerals after names, and with the ending of an ordinal."""

    def __init__(self, rulers: frozenset[str], parts: frozenset[str], say_ruler: Callable[[int], str]) -> None:
        """`parts`: words in lower case that are numbered so, as chapters are."""
        self._rulers = rulers
        self._parts = parts
        self._say_ruler = say_ruler

    def rule(self, say_other: Callable[[int], str]) -> Rule:
        """For numerals that stand alone after a word."""

        def say(match: re.Match[str]) -> str | None:
            before, written = word_before(match), match[0]
            if _numbers_a_line(match):
                return say_other(roman_value(written))
            value = roman_value(written)
            if before in self._rulers:
                return self._say_ruler(value) if written != "I" or _CLOSES.match(text_after(match)) else None
            if self._follows_part(match) or (before[:1].isupper() and len(before) > 2 and _SAFE.fullmatch(written)):
                return say_other(value)
            return None

        return rule(rf"{_NUMERAL}{WORD_END}(?!['’.][^\W_])", say, Begins.LETTER)

    def _follows_part(self, match: re.Match[str]) -> bool:
        found = _NAMED_PART.search(text_before(match))
        return found is not None and found[1].lower() in self._parts


def _numbers_a_line(match: re.Match[str]) -> bool:
    """`II. Développement`. A single letter may be the initial of a name, except before the few words of a heading."""
    if not _LINE_START.search(text_before(match)):
        return False
    return (_NEXT_PART if len(match[0]) > 1 else _SHORT_LINE).match(text_after(match)) is not None


def roman_value(written: str) -> int:
    """The value of a numeral that the pattern takes."""
    values = [_VALUES[letter] for letter in written]
    return sum(
        -value if value < following else value for value, following in zip(values, [*values[1:], 0], strict=True)
    )
