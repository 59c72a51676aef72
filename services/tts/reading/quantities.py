"""Numbers of something: money and units."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from services.tts.reading.numbers import Noun, Number, NumberGrammar
from services.tts.reading.rules import GAP, WORD_END, Begins, Rule, any_of, rule, word_before

_UNIT_END = r"(?![^\W_]|[-'’][^\W\d_])"  # 2 t-shirts weigh no tonnes


@dataclass(frozen=True)
class Currency:
    """A currency, and its hundredth."""

    unit: Noun
    cent: Noun


@dataclass(frozen=True)
class Measures:
    """What is counted in a language, as it is written."""

    units: Mapping[str, Noun]
    currencies: Mapping[str, Currency]
    scales: Mapping[str, int]  # what may stand between a number and a currency
    cents: str  # how the two parts of a price are joined: {whole}, {number} of cents, {cents} with their name
    per: str  # a unit of another: km/h
    singular_after: frozenset[str]  # words that a unit without a number follows
    periods: Mapping[str, str]  # what stands there without being a unit


class Quantities:
    """The rules for numbers of something."""

    def __init__(self, numbers: NumberGrammar, measures: Measures) -> None:
        self._numbers = numbers
        self._measures = measures
        per = any_of([*measures.units, *measures.periods])
        self._per = rf"(?:{GAP}/{GAP}(?P<per>{per}){WORD_END})?"

    def rules(self) -> tuple[Rule, ...]:
        """In their order."""
        measures, number = self._measures, rf"(?P<number>{self._numbers.pattern})"
        last = rf"(?:[-–](?P<last>{self._numbers.pattern})(?![\w/]))"
        scale = rf"(?:{GAP}(?P<scale>{any_of(measures.scales)}))"
        symbol = rf"(?P<symbol>{any_of(measures.currencies)})"
        unit = rf"(?P<unit>{any_of(measures.units)})"
        plain = any_of(unit for unit in measures.units if _is_plain_sign(unit))
        signs = any_of(symbol for symbol in measures.currencies if not symbol.isalpha())
        return (
            rule(rf"{symbol}{GAP}{number}(?:{scale}{WORD_END}|{last})?{self._per}", self._say_money),
            rule(rf"{number}{scale}?{GAP}{symbol}{WORD_END}{self._per}", self._say_money, Begins.DIGIT),
            rule(rf"{number}{GAP}{unit}{_UNIT_END}{self._per}", self._say_unit, Begins.DIGIT),
            rule(rf"{number}k{WORD_END}", self._say_thousands, Begins.DIGIT),
            rule(rf"(?P<unit>{plain}){_UNIT_END}{self._per}", self._say_bare_unit),
            rule(rf"(?P<symbol>{signs})(?!\w)", self._say_bare_symbol, Begins.SIGN),
        )

    def _say_unit(self, match: re.Match[str]) -> str:
        number = self._numbers.parse(match["number"])
        return self._numbers.count(number, self._measures.units[_key(match["unit"])]) + self._say_per(match)

    def _say_bare_unit(self, match: re.Match[str]) -> str:
        unit = self._measures.units[_key(match["unit"])]
        is_single = word_before(match).lower() in self._measures.singular_after
        return (unit.singular if is_single else unit.plural) + self._say_per(match)

    def _say_bare_symbol(self, match: re.Match[str]) -> str:
        return self._measures.currencies[_key(match["symbol"])].unit.plural

    def _say_thousands(self, match: re.Match[str]) -> str:
        return self._numbers.say(self._numbers.parse(match["number"]).thousandfold)

    def _say_money(self, match: re.Match[str]) -> str:
        number = self._numbers.parse(match["number"])
        currency = self._measures.currencies[_key(match["symbol"])]
        parts = match.groupdict()
        if parts.get("last"):
            last = self._numbers.count(self._numbers.parse(parts["last"]), currency.unit)
            said = f"{self._numbers.say(number)} {self._numbers.to} {last}"
        elif parts["scale"]:
            said = self._numbers.scaled(number, self._measures.scales[_key(parts["scale"])], currency.unit)
        else:
            said = self._say_price(number, currency)
        return said + self._say_per(match)

    def _say_price(self, number: Number, currency: Currency) -> str:
        if not number.fraction or len(number.fraction) > 2:
            return self._numbers.count(number, currency.unit)
        whole = self._numbers.count(Number(number.whole), currency.unit)
        cents = Number(str(int(number.fraction.ljust(2, "0"))))
        if not cents.value:
            return whole
        counted = self._numbers.count(cents, currency.cent)
        if not number.value:
            return counted
        return self._measures.cents.format(whole=whole, number=self._numbers.say(cents), cents=counted)

    def _say_per(self, match: re.Match[str]) -> str:
        if not match["per"]:
            return ""
        per = _key(match["per"])
        unit = self._measures.units.get(per)
        return f" {self._measures.per} {unit.singular if unit else self._measures.periods[per]}"


def _is_plain_sign(unit: str) -> bool:
    """Whether it is no word, so that it is a unit without a number, too: km/h, m², kWh, km."""
    has_mark = not unit.isalpha() and (unit[0].isalpha() or len(unit) > 1) and not unit.endswith(".")
    return has_mark or unit in {"km", "cm", "mm", "kg"} or (unit[0].islower() and unit != unit.lower())


def _key(written: str) -> str:
    return " ".join(written.split())
