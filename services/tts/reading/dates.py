"""Dates that are written in digits."""

import re
from collections.abc import Callable

from services.tts.reading.rules import Begins, Rule, rule

SayDate = Callable[[int, int, int | None], str]  # day, month, year
SayMonth = Callable[[int, int], str]  # month, year

_ISO = r"(?P<year>[0-9]{4})(?P<mark>[-/.])(?P<month>[0-9]{2})(?P=mark)(?P<day>[0-9]{2})(?:T(?=[0-9]{2}:)|(?![\w-]))"
_STROKES = (
    r"(?P<first>[0-9]{1,2})(?P<mark>[/.-])(?P<second>[0-9]{1,2})(?P=mark)(?P<year>[0-9]{4}|[0-9]{2})(?![\w/-]|\.[0-9])"
)
_MONTH_AND_YEAR = r"(?P<month>0?[1-9]|1[0-2])/(?P<year>(?:1[6-9]|20|21)[0-9]{2})(?![\w/]|[.,][0-9])"
_FIRST_YEAR_OF_TWO_DIGITS = 50  # 49 is 2049, 50 is 1950


def date_rules(say_date: SayDate, say_month: SayMonth, *, is_month_first: bool) -> tuple[Rule, ...]:
    """2025-06-12, 12/06/2025, 12.06.2025, 06/2025."""

    def say_iso(match: re.Match[str]) -> str | None:
        day, month = int(match["day"]), int(match["month"])
        return say_date(day, month, int(match["year"])) if is_date(day, month) else None

    def say_strokes(match: re.Match[str]) -> str | None:
        if len(match["year"]) == 2 and match["mark"] != "/":
            return None  # a version, or a part of a telephone number
        day, month = int(match["first"]), int(match["second"])
        # With dots it is the European order everywhere.
        if (is_month_first and match["mark"] != "." and is_date(month, day)) or not is_date(day, month):
            day, month = month, day
        return say_date(day, month, year_of(match["year"])) if is_date(day, month) else None

    def say_month_and_year(match: re.Match[str]) -> str:
        return say_month(int(match["month"]), int(match["year"]))

    return (
        rule(_ISO, say_iso, Begins.DIGIT),
        rule(_STROKES, say_strokes, Begins.DIGIT),
        rule(_MONTH_AND_YEAR, say_month_and_year, Begins.DIGIT),
    )


def is_date(day: int, month: int) -> bool:
    """Whether there may be such a day."""
    return 1 <= day <= 31 and 1 <= month <= 12


def year_of(written: str) -> int:
    """The year that two or four digits stand for."""
    year = int(written)
    if len(written) == 4:
        return year
    return year + (1900 if year >= _FIRST_YEAR_OF_TWO_DIGITS else 2000)
