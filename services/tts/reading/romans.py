"""Roman numerals: of kings, popes, chapters and centuries. Elsewhere such letters are letters."""

import re
from collections.abc import Callable

from services.tts.reading.rules import WORD_END, Begins, Rule, rule, text_after, word_before

_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}
_NUMERAL = r"(?=[IVXLC])(?:C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})"
# After any name: only letters that make no common abbreviation (CD, CV, XL, XXX).
_SAFE = re.compile(r"(?!XX\Z|XXX)[IVX]{2,6}")
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
            value = roman_value(written)
            if before in self._rulers:
                return self._say_ruler(value) if written != "I" or _CLOSES.match(text_after(match)) else None
            if before.lower() in self._parts or (before[:1].isupper() and len(before) > 2 and _SAFE.fullmatch(written)):
                return say_other(value)
            return None

        return rule(rf"{_NUMERAL}{WORD_END}(?!['’.][^\W_])", say, Begins.LETTER)


def roman_value(written: str) -> int:
    """The value of a numeral that the pattern takes."""
    values = [_VALUES[letter] for letter in written]
    return sum(
        -value if value < following else value for value, following in zip(values, [*values[1:], 0], strict=True)
    )
