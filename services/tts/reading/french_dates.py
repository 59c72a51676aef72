"""How French says days and hours."""

import re

from services.tts.reading import french_words
from services.tts.reading.dates import date_rules, is_date
from services.tts.reading.french_numbers import FRENCH_NUMBERS
from services.tts.reading.rules import GAP, WORD_END, Begins, Rule, any_case_of, rule, text_after, word_before

_WEEKDAYS = frozenset({"lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"})
_INVITES_DATE = _WEEKDAYS | {"le", "du", "au", "dès", "avant", "après", "depuis"}
_OF = re.compile(r" (?:d['’]|des? |du )")


def rules() -> tuple[Rule, ...]:
    """In their order."""
    seconds = rf"(?:{GAP}(?P<second>[0-5]?[0-9]){GAP}s(?:ec)?{WORD_END})?"
    minutes = rf"{GAP}(?P<minute>[0-5][0-9])(?![0-9])(?:{GAP}(?:min|mn|m){WORD_END}\.?{seconds})?"
    months = any_case_of([*french_words.MONTHS, *french_words.MONTHS_SHORT])
    # Only behind the T of an ISO date is what follows a time zone, and not another hour.
    clock = r"(?P<hour>[01]?[0-9]|2[0-4]):(?P<minute>[0-5][0-9])(?::(?P<second>[0-5][0-9])(?:[.,][0-9]{1,9})?)?"
    is_iso = r"(?P<iso>(?<=T))?"
    zone = r"(?(iso)(?:Z|[+-][0-9]{2}:[0-9]{2})?)"
    return (
        *date_rules(_say_date, _say_month, is_month_first=False),
        rule(rf"(?P<day>1er|[0-9]{{1,2}}) (?P<month>{months}){WORD_END}", _say_day_and_month, Begins.DIGIT),
        rule(r"([0-3]?[0-9])/([01]?[0-9])(?![\w/]|[.,][0-9])", _say_short_date, Begins.DIGIT),
        rule(rf"(?P<hour>[0-9]{{1,2}}){GAP}[hH](?:{minutes}|{WORD_END})", _say_time, Begins.DIGIT),
        rule(rf"{is_iso}{clock}{zone}(?![\w:])", _say_time, Begins.DIGIT),
    )


def _say_date(day: int, month: int, year: int | None) -> str:
    said = f"{FRENCH_NUMBERS.ordinal(1) if day == 1 else FRENCH_NUMBERS.cardinal(day)} {french_words.MONTHS[month - 1]}"
    return said if year is None else f"{said} {FRENCH_NUMBERS.cardinal(year)}"


def _say_month(month: int, year: int) -> str:
    return f"{french_words.MONTHS[month - 1]} {FRENCH_NUMBERS.cardinal(year)}"


def _say_day_and_month(match: re.Match[str]) -> str:
    month = match["month"].lower()
    day = FRENCH_NUMBERS.ordinal(1) if match["day"] in {"1", "1er"} else FRENCH_NUMBERS.read(match["day"])
    return f"{day} {french_words.MONTHS_SHORT.get(month, month)}"


def _say_short_date(match: re.Match[str]) -> str | None:
    """12/06 is a day where the words before it say so, or its zeros do; else it is a fraction."""
    day, month, before = int(match[1]), int(match[2]), word_before(match).lower()
    if len(match[2]) == 2:
        is_likely = before in _INVITES_DATE or "0" in {match[1][0], match[2][0]}
    else:
        is_likely = before in _WEEKDAYS or (before == "le" and not _OF.match(text_after(match)))
    return _say_date(day, month, None) if is_likely and is_date(day, month) else None


def _say_time(match: re.Match[str]) -> str:
    parts = match.groupdict()
    hour, minute, second = int(match["hour"]), int(parts["minute"] or 0), int(parts.get("second") or 0)
    said = [FRENCH_NUMBERS.cardinal(hour, is_feminine=True), "heure" if hour < 2 else "heures"]
    if minute or second:
        said.append(FRENCH_NUMBERS.cardinal(minute, is_feminine=True))
    if second:
        said += ["minutes" if minute > 1 else "minute", FRENCH_NUMBERS.cardinal(second, is_feminine=True)]
        said.append("secondes" if second > 1 else "seconde")
    return " ".join(said)
