"""Fractions: a half, 3/4, 1 1/2, ½; and such parts of a unit: 1/4 L, ½ tsp."""

import re
import unicodedata

from services.tts.reading.numbers import NumberGrammar
from services.tts.reading.quantities import UNIT_END, Measures, key_of
from services.tts.reading.rules import GAP, SPACE, Begins, Rule, any_of, rule

_STROKE = r"(?:(?P<whole>[0-9]{1,3})[ -])?(?P<top>[0-9]{1,4})[/⁄](?P<bottom>[0-9]{1,4})"
_ONE_SIGN = rf"(?:(?P<whole>[0-9]{{1,3}}){GAP})?(?P<sign>[¼½¾⅐-⅞])"


class Fractions:
    """The rules for them."""

    def __init__(self, numbers: NumberGrammar, measures: Measures) -> None:
        self._numbers = numbers
        self._measures = measures

    def of_units(self) -> tuple[Rule, ...]:
        """For parts of a unit."""
        unit = rf"{SPACE}?(?P<unit>{any_of(unit for unit in self._measures.units if unit[0].isalpha())}){UNIT_END}"
        return (rule(_STROKE + unit, self._say_of_unit, Begins.DIGIT), rule(_ONE_SIGN + unit, self._say_of_unit))

    def alone(self) -> tuple[Rule, ...]:
        """For the others."""
        return (
            rule(rf"{_STROKE}(?![\w/]|[.,][0-9])", self._say_alone, Begins.DIGIT),
            rule(_ONE_SIGN, self._say_alone),
        )

    def _say_alone(self, match: re.Match[str]) -> str | None:
        whole, top, bottom = _parts(match)
        if not match["whole"]:
            return self._numbers.ratio(top, bottom)
        # Else the first number is one by itself.
        return self._numbers.mixed(whole, top, bottom) if 0 < top < bottom else None

    def _say_of_unit(self, match: re.Match[str]) -> str | None:
        whole, top, bottom = _parts(match)
        noun = self._measures.units[key_of(match["unit"])]
        return self._numbers.portion(whole, top, bottom, noun) if 0 < top < bottom else None


def _parts(match: re.Match[str]) -> tuple[int, int, int]:
    """The whole number and the two of the fraction."""
    parts = match.groupdict()
    if parts.get("sign"):
        parts["top"], _, parts["bottom"] = unicodedata.normalize("NFKC", parts["sign"]).partition("⁄")
    return int(parts["whole"] or 0), int(parts["top"]), int(parts["bottom"])
