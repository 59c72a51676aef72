"""Numbers of something: money and units."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from services.tts.reading.numbers import Noun, Number, NumberGrammar
from services.tts.reading.rules import GAP, WORD_END, Begins, Rule, any_of, rule, text_before, word_before

UNIT_END = r"(?![^\W_]|[-'’][^\W\d_])"  # 2 t-shirts weigh no tonnes


_COUNTED_BEFORE = re.compile(r"[0-9]\s?(?:[€$£]|[^\W\d_]{1,20})(?:\s[^\W\d_]{2,20})?\.?\s?\Z")


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
    apart: frozenset[str]  # units that no whole number is joined to: in 12A it is a letter
    singular_after: frozenset[str]  # words that a unit without a number follows
    periods: Mapping[str, str]  # what stands there without being a unit


class Quantities:
    """The rules for numbers of something."""

    def __init__(self, numbers: NumberGrammar, measures: Measures) -> None:
        self._numbers = numbers
        self._measures = measures
        self._any_per = any_of([*measures.units, *measures.periods])
        self._per = rf"(?:{GAP}/{GAP}(?P<per>{self._any_per}|[a-zà-ÿ]{{4,20}}){WORD_END})?"

    def rules(self) -> tuple[Rule, ...]:
        """In their order."""
        measures, number = self._measures, rf"(?P<number>{self._numbers.pattern})"
        last = rf"(?:[-–](?P<last>{self._numbers.pattern})(?![\w/]))"
        scale = rf"(?:{GAP}(?P<scale>{any_of(measures.scales)}))"
        symbol = rf"(?P<symbol>{any_of(measures.currencies)})"
        unit = rf"(?P<unit>{any_of(measures.units)})"
        plain = any_of(unit for unit in measures.units if _is_plain_sign(unit))
        small = any_of(unit for unit in measures.units if unit[0].islower() and unit[-1].isalpha())
        signs = any_of(symbol for symbol in measures.currencies if not symbol.isalpha())
        return (
            rule(rf"(?P<whole>[0-9]{{1,9}})(?P<symbol>{signs})(?P<cents>[0-9]{{2}})(?!\w)", self._say_parted),
            rule(rf"{symbol}{GAP}{number}(?:{scale}{WORD_END}|{last})?{self._per}", self._say_money),
            rule(rf"{number}{scale}?{GAP}{symbol}{WORD_END}{self._per}", self._say_money, Begins.DIGIT),
            rule(rf"{number}{GAP}{unit}{UNIT_END}{self._per}", self._say_unit, Begins.DIGIT),
            rule(rf"/{GAP}(?P<per>{self._any_per}){WORD_END}", self._say_per_counted, Begins.SIGN),
            rule(rf"{number}k{WORD_END}", self._say_thousands, Begins.DIGIT),
            rule(rf"(?P<unit>{plain}){UNIT_END}{self._per}", self._say_bare_unit),
            rule(rf"(?P<unit>{small})/(?P<per>{any_of(measures.units)}){UNIT_END}", self._say_bare_unit, Begins.LETTER),
            rule(rf"(?<![\w)\]}}])(?P<symbol>{signs})(?!\w)", self._say_bare_symbol, Begins.SIGN),
        )

    def _say_unit(self, match: re.Match[str]) -> str | None:
        if match["unit"] in self._measures.apart and re.fullmatch("[0-9]{1,40}[A-Z]", match[0]):
            return None
        number = self._numbers.parse(match["number"])
        return self._numbers.count(number, self._measures.units[key_of(match["unit"])]) + self._say_per(match)

    def _say_bare_unit(self, match: re.Match[str]) -> str:
        unit = self._measures.units[key_of(match["unit"])]
        is_single = word_before(match).lower() in self._measures.singular_after
        return (unit.singular if is_single else unit.plural) + self._say_per(match)

    def _say_bare_symbol(self, match: re.Match[str]) -> str:
        return self._measures.currencies[key_of(match["symbol"])].unit.plural

    def _say_thousands(self, match: re.Match[str]) -> str:
        return self._numbers.say(self._numbers.parse(match["number"]).thousandfold)

    def _say_money(self, match: re.Match[str]) -> str:
        number = self._numbers.parse(match["number"])
        currency = self._measures.currencies[key_of(match["symbol"])]
        parts = match.groupdict()
        if parts.get("last"):
            last = self._numbers.count(self._numbers.parse(parts["last"]), currency.unit)
            said = f"{self._numbers.say(number)} {self._numbers.to} {last}"
        elif parts["scale"]:
            said = self._numbers.scaled(number, self._measures.scales[key_of(parts["scale"])], currency.unit)
        else:
            said = self._say_price(number, currency)
        return said + self._say_per(match)

    def _say_parted(self, match: re.Match[str]) -> str:
        """5€50."""
        return self._say_price(Number(match["whole"], ".", match["cents"]), self._measures.currencies[match["symbol"]])

    def _say_per_counted(self, match: re.Match[str]) -> str | None:
        """Two tablets/day."""
        return self._say_per(match).strip() if _COUNTED_BEFORE.search(text_before(match)) else None

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
        per = key_of(match["per"])
        unit = self._measures.units.get(per)
        return f" {self._measures.per} {unit.singular if unit else self._measures.periods.get(per, per)}"


def _is_plain_sign(unit: str) -> bool:
    """Whether it is no word, so that it is a unit without a number, too: km/h, m², kWh, km."""
    has_mark = not unit.isalpha() and (unit[0].isalpha() or len(unit) > 1) and not unit.endswith(".")
    return has_mark or " " in unit or unit in {"km", "cm", "mm", "kg"} or (unit[0].islower() and unit != unit.lower())


def key_of(written: str) -> str:
    """As it stands in the tables, whatever kind of space is in it."""
    return " ".join(written.split())
