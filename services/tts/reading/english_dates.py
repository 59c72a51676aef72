"""How English says days and hours."""

import re
from dataclasses import replace

from services.tts.reading import english_words
from services.tts.reading.dates import date_rules
from services.tts.reading.english_numbers import ENGLISH_NUMBERS
from services.tts.reading.rules import GAP, WORD_END, Begins, Rule, any_of, rule, word_before
from services.tts.reading.spelling import spell_letters

_HALF = rf"{GAP}(?P<half>[aApP])\.?[mM]\.?{WORD_END}"  # of the day


def rules() -> tuple[Rule, ...]:
    """In their order."""
    month = rf"(?P<month>{any_of(english_words.MONTHS)}|(?:{any_of(english_words.MONTHS_SHORT)})\.?)"
    day = r"(?P<day>[0-3]?[0-9])(?:st|nd|rd|th)?"
    year = rf"(?P<year>[0-9]{{4}}){WORD_END}"
    # Only behind the T of an ISO date is what follows a time zone, and not another hour.
    clock = r"(?P<hour>[01]?[0-9]|2[0-4])[:h](?P<minute>[0-5][0-9])(?::(?P<second>[0-5][0-9])(?:\.[0-9]{1,9})?)?"
    is_iso = r"(?P<iso>(?<=T))?"
    zone = r"(?(iso)(?:Z|[+-][0-9]{2}:[0-9]{2})?)"
    return (
        *date_rules(_say_date, _say_month, is_month_first=True),
        rule(
            rf"{month} {day}(?:[-–](?P<last>[0-3]?[0-9])(?![0-9]))?(?:,? {year})?(?![\w:/%]|[.,][0-9])",
            _say_month_and_day,
            Begins.LETTER,
        ),
        rule(rf"{day} (?:of )?{month}{WORD_END}(?:,? {year})?", _say_day_and_month, Begins.DIGIT),
        replace(rule(rf"{is_iso}{clock}(?:{_HALF}|{zone}(?![\w:]))", _say_time, Begins.DIGIT), may_end_sentence=True),
        replace(rule(rf"(?P<hour>1[0-2]|0?[0-9]){_HALF}", _say_time, Begins.DIGIT), may_end_sentence=True),
    )


def _say_date(day: int, month: int, year: int | None) -> str:
    said = f"{english_words.MONTHS[month - 1]} {ENGLISH_NUMBERS.ordinal(day)}"
    return said if year is None else f"{said}, {ENGLISH_NUMBERS.year(year)}"


def _say_month(month: int, year: int) -> str:
    return f"{english_words.MONTHS[month - 1]} {ENGLISH_NUMBERS.year(year)}"


def _say_month_and_day(match: re.Match[str]) -> str | None:
    return _say_written_date(match, "{month} {day}")


def _say_day_and_month(match: re.Match[str]) -> str | None:
    form = "{day} of {month}" if word_before(match).lower() == "the" else "the {day} of {month}"
    return _say_written_date(match, form)


def _say_written_date(match: re.Match[str], form: str) -> str | None:
    day = int(match["day"])
    if not 1 <= day <= 31:
        return None
    month = match["month"]
    said = form.format(day=ENGLISH_NUMBERS.ordinal(day), month=english_words.MONTHS_SHORT.get(month.rstrip("."), month))
    if match.groupdict().get("last"):
        said += f" to {ENGLISH_NUMBERS.ordinal(int(match['last']))}"
    return f"{said}, {ENGLISH_NUMBERS.year(int(match['year']))}" if match["year"] else said


def _say_time(match: re.Match[str]) -> str:
    parts = match.groupdict()
    hour, minute, second = int(match["hour"]), int(parts.get("minute") or 0), int(parts.get("second") or 0)
    said = [ENGLISH_NUMBERS.cardinal(hour)]
    if minute:
        said.append(ENGLISH_NUMBERS.cardinal(minute) if minute > 9 else f"oh {ENGLISH_NUMBERS.cardinal(minute)}")
    if second:
        said.append(f"and {ENGLISH_NUMBERS.cardinal(second)} {'second' if second == 1 else 'seconds'}")
    if parts.get("half"):
        said.append(spell_letters(f"{match['half']}m"))
    elif not minute and not second:
        said.append("o'clock" if 1 <= hour <= 12 else "hundred")
    return " ".join(said)
