"""Numbers as they are written, and what a language must know to say them."""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from num2words import num2words

_MAX_NAMED_DIGITS = 15  # longer ones are codes, which people read digit by digit; and num2words has no names for all
_MAX_DIGITS = 40  # that are read as one number


@dataclass(frozen=True)
class Noun:
    """What is counted."""

    singular: str
    plural: str
    is_feminine: bool = False


@dataclass(frozen=True)
class Number:
    """A number without its sign."""

    whole: str
    mark: str = ""
    fraction: str = ""

    @property
    def value(self) -> int:
        """What stands before the decimal mark."""
        return int(self.whole)

    @property
    def is_named(self) -> bool:
        """Whether it is said as a number; else it is digits, such as 007."""
        return len(self.whole) <= _MAX_NAMED_DIGITS and not self.whole.startswith("0")

    @property
    def thousandfold(self) -> "Number":
        """A thousand times as much, of three decimals at most."""
        return Number(str(self.value * 1000 + int(self.fraction[:3].ljust(3, "0"))))


@lru_cache(maxsize=4096)  # num2words takes longer than all the rest of a reading
def spell(value: int, language: str, form: str = "cardinal") -> str:
    """The words that num2words has for it. `form`: cardinal, ordinal or year."""
    return str(num2words(value, lang=language, to=form))


class NumberGrammar(ABC):
    """The numbers of a language."""

    decimal_marks: Mapping[str, str]  # and how they are said
    group_marks: Mapping[str, int]  # patterns of what may part thousands, and how often it must stand to mean that
    to: str  # between the ends of a range

    @property
    def pattern(self) -> str:
        """What a number looks like; without groups, so that it can stand in other patterns."""
        whole = "|".join([*(f"{groups}(?![0-9])" for groups in self._groups()), rf"[0-9]{{1,{_MAX_DIGITS}}}"])
        marks = re.escape("".join(self.decimal_marks))
        return rf"(?:(?:{whole})(?:[{marks}][0-9]{{1,{_MAX_DIGITS}}}(?![0-9]|[.,][0-9]))?)"

    def parse(self, written: str) -> Number:
        """The number of a text that the pattern takes."""
        if self._is_grouped(written):
            return Number(re.sub(r"[^0-9]", "", written))
        marks = [mark for mark in re.findall(r"[.,]", written) if mark in self.decimal_marks]
        # A mark that stands twice parts thousands; so does the first of two kinds.
        mark = marks[-1] if marks and marks.count(marks[-1]) == 1 else ""
        whole, _, fraction = written.rpartition(mark) if mark else (written, "", "")
        return Number(re.sub(r"[^0-9]", "", whole), mark, fraction)

    def _is_grouped(self, written: str) -> bool:
        return any(re.fullmatch(groups, written) for groups in self._groups())

    def _groups(self) -> list[str]:
        """Patterns of numbers whose thousands are apart."""
        return [rf"[1-9][0-9]{{0,2}}(?:{mark}[0-9]{{3}}){{{least},6}}" for mark, least in self.group_marks.items()]

    def say(self, number: Number, *, is_feminine: bool = False) -> str:
        """The number in words."""
        if not number.fraction:
            return self._say_whole(number, is_feminine=is_feminine)
        whole = self._say_whole(number)
        return f"{whole} {self.decimal_marks[number.mark]} {self.say_fraction(number.fraction)}"

    def read(self, written: str) -> str:
        """Digits of an address or a code: short ones as a number."""
        return self.say(Number(written)) if len(written) <= 4 else self.digits(written)

    def digits(self, written: str) -> str:
        """Digit by digit."""
        return " ".join(self.cardinal(int(digit)) for digit in written)

    def count(self, number: Number, noun: Noun) -> str:
        """So many of them."""
        counted = noun.plural if self.is_plural(number) else noun.singular
        return f"{self.say(number, is_feminine=noun.is_feminine)} {counted}"

    def _say_whole(self, number: Number, *, is_feminine: bool = False) -> str:
        if not number.is_named:
            return self.digits(number.whole)
        return self.cardinal(number.value, is_feminine=is_feminine)

    @abstractmethod
    def cardinal(self, value: int, *, is_feminine: bool = False) -> str:
        """One, two, three."""

    @abstractmethod
    def ordinal(self, value: int, *, is_feminine: bool = False) -> str:
        """First, second, third."""

    @abstractmethod
    def say_fraction(self, digits: str) -> str:
        """What follows the decimal mark."""

    @abstractmethod
    def is_plural(self, number: Number) -> bool:
        """Whether so many of a thing are several."""

    @abstractmethod
    def scaled(self, number: Number, scale: int, noun: Noun) -> str:
        """So many thousands, millions or milliards of them."""

    @abstractmethod
    def ratio(self, numerator: int, denominator: int) -> str:
        """What is written with a stroke: a fraction, a mark, a proportion."""

    @abstractmethod
    def portion(self, whole: int, numerator: int, denominator: int, noun: Noun) -> str:
        """Such a fraction of a unit, and perhaps whole ones before it."""

    @abstractmethod
    def mixed(self, whole: int, numerator: int, denominator: int) -> str:
        """A whole number and a fraction."""
