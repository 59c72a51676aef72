"""`say-as`: what is written in its place, so that our rules read it as the document asks for."""

import re

from services.common.text import primary_language
from services.tts.reading import english_words, french_words
from services.tts.reading.dates import is_date, year_of
from services.tts.reading.sign_names import SIGN_NAMES

_MONTHS = {"fr": french_words.MONTHS, "en": english_words.MONTHS}
_NUMBERING_PLAN = {7: (3, 4), 10: (3, 3, 4), 11: (1, 3, 3, 4)}  # of North America: the groups of so many digits
_LONGEST_NUMBER = 15  # digits of what is still said as a number


def said_as(text: str, kind: str, layout: str, language: str) -> str:
    """The text as it has to be written to be read so; kinds that ask for nothing special leave it as it is."""
    language = primary_language(language)
    match kind:
        case "characters" | "spell-out" | "verbatim" | "digits":
            return _characters(text, language)
        case "cardinal" | "number":
            return _cardinal(text.strip(), language)
        case "ordinal":
            return _ordinal(text.strip(), language)
        case "telephone":
            return _telephone(text.strip(), language)
        case "date":
            return _date(text.strip(), layout, language)
        case _:
            return text


def _characters(text: str, language: str) -> str:
    names = SIGN_NAMES.get(language, {})
    return ", ".join(names.get(character, character.upper()) for character in text if not character.isspace())


def _cardinal(text: str, language: str) -> str:
    """Never a year, nor digit by digit."""
    if not re.fullmatch(rf"[0-9]{{1,{_LONGEST_NUMBER}}}", text):
        return text
    return f"{int(text):,}" if language == "en" else str(int(text))


def _ordinal(text: str, language: str) -> str:
    if not re.fullmatch(r"[0-9]{1,9}", text):
        return text
    if language == "fr":
        return f"{text}er" if text == "1" else f"{text}e"
    if language == "en":
        tens = text[-2:-1] == "1"
        return text + ("th" if tens else {"1": "st", "2": "nd", "3": "rd"}.get(text[-1], "th"))
    return text


def _telephone(text: str, language: str) -> str:
    """Digit by digit, in groups; the numbers that French says in pairs stay as they are, for its rules know them."""
    digits = re.sub(r"[^0-9]", "", text)
    if language == "fr" and (text.startswith("+") or re.fullmatch("0[1-9][0-9]{8}", digits)):
        return text
    groups = re.findall(r"[0-9]{1,40}|[A-Za-z]{1,40}", text)
    if language == "en" and groups == [digits] and len(digits) in _NUMBERING_PLAN:
        rest = iter(digits)
        groups = ["".join(next(rest) for _ in range(size)) for size in _NUMBERING_PLAN[len(digits)]]
    sign = "+" if text.startswith("+") else ""
    return sign + ", ".join(" ".join(group.upper()) for group in groups)


def _date(text: str, layout: str, language: str) -> str:
    """A date whose order of day, month and year is told, as it is read the same everywhere."""
    layout = re.sub(r"(.)\1+", r"\1", layout)  # yyyymmdd
    date = _parts_of_date(text, layout or ("ymd" if text.isdigit() else ""))
    day, month = int(date.get("d", "1")), int(date.get("m", "1"))
    if "m" not in date or not is_date(day, month):
        return text
    if "y" in date and "d" in date:
        return f"{year_of(date['y']):04}-{month:02}-{day:02}"
    months = _MONTHS.get(language)
    if not months:
        return text
    other = str(day) if "d" in date else str(year_of(date["y"]))
    day_first = language == "fr" and "d" in date
    return f"{other} {months[month - 1]}" if day_first else f"{months[month - 1]} {other}"


def _parts_of_date(text: str, layout: str) -> dict[str, str]:
    """Day, month and year, as far as there are; nothing where the text is not of the layout."""
    sizes = {"d": "[0-9]{1,2}", "m": "[0-9]{1,2}", "y": "[0-9]{4}|[0-9]{2}"}
    if not set(layout) <= set(sizes) or len(set(layout)) != len(layout) or len(layout) < 2:
        return {}
    apart = r"[^0-9]{1,3}".join(f"(?P<{part}>{sizes[part]})" for part in layout)
    joined = "".join(f"(?P<{part}>[0-9]{{{4 if part == 'y' else 2}}})" for part in layout)
    found = re.fullmatch(joined, text) or re.fullmatch(apart, text)
    return found.groupdict() if found else {}
