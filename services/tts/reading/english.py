"""How English is read aloud."""

import re
from dataclasses import replace

from services.tts.reading import english_dates, english_signs, english_words
from services.tts.reading.addresses import Addresses
from services.tts.reading.english_measures import MEASURES
from services.tts.reading.english_numbers import ENGLISH_NUMBERS
from services.tts.reading.figures import Figures, FigureWords, phone_rule
from services.tts.reading.fractions import Fractions
from services.tts.reading.quantities import Quantities
from services.tts.reading.romans import Romans
from services.tts.reading.rules import (
    GAP,
    WORD_END,
    Begins,
    Language,
    Rule,
    rule,
    says,
    table_rule,
    text_after,
    text_before,
    word_before,
)
from services.tts.reading.signs import Signs
from services.tts.reading.spelling import Acronyms

_YEARS = range(1010, 2100)  # four digits within are more often a year than a number
_NEXT_WORD = re.compile(rf"{GAP}([a-z]{{2,30}})")
_CALLS = frozenset({"call", "dial", "text", "phone", "ring", "calling", "dialing", "area", "code", "room", "flight"})
_NO_STREETS = frozenset({"Mount", "Port", "Fort", "Lake", "The", "At", "In", "On", "And", "See"})  # St. Helens
_NO_NOUNS = frozenset({"was", "is", "as", "has", "this", "its"})
# No names begin so; after the dot of `St.` any other word may go on with one.
_NEW_SENTENCE = re.compile(
    r"\s{1,3}(?:It|They|He|She|We|You|I|This|That|These|Those|The|An?|There|Here|His|Her|Their|My|Our|Your|If|When|But"
    r"|And|Then|So|What|Who|How|Why|Where|No|Yes|Turn|Go|Take)(?:['’]|(?!\w))"
)
_BEFORE_DECADE = re.compile(r"\b(?:the|mid|early|late|his|her|their|my|our|your)[ -]\Z", re.IGNORECASE)
_FULL_YEAR = 4  # digits


def _rules() -> tuple[Rule, ...]:
    numbers = ENGLISH_NUMBERS
    romans = Romans(english_words.RULERS, english_words.NUMBERED_PARTS, lambda value: f"the {numbers.ordinal(value)}")
    acronyms = Acronyms(english_words.READ_ACRONYMS, english_words.SPELLED_ACRONYMS, plural="'s")
    figures = Figures(numbers, FigureWords("version", "by", "times ten to the power of", "minus"))
    fractions = Fractions(numbers, MEASURES)
    return (
        *Addresses(numbers, english_signs.ADDRESS_WORDS).rules(),
        *_abbreviation_rules(),
        *english_dates.rules(),
        *_phone_rules(),
        rule(r"([0-9]{1,2})['’′]\s?([0-9]{1,2})(?:\"|”|″|''|’’)", _say_height, Begins.DIGIT),
        rule(rf"['’]?((?:[0-9]{{2}})?[0-9]0)['’]?s{WORD_END}", _say_decade),
        *fractions.of_units(),
        *fractions.alone(),
        *figures.rules(),
        *Quantities(numbers, MEASURES).rules(),
        rule(rf"([0-9]{{1,3}}(?:,[0-9]{{3}}){{0,3}})(?:st|nd|rd|th){WORD_END}", _say_ordinal, Begins.DIGIT),
        romans.rule(numbers.cardinal),
        *acronyms.rules(),
        rule(r"([0-9]{1,3}):([0-9]{1,3})(?![\w:]|[.,][0-9])", _say_ratio, Begins.DIGIT),
        *Signs(numbers, english_signs.SIGNS).rules(),
        rule(numbers.pattern, lambda match: _say_number(match, figures), Begins.DIGIT),
        says(r"\.(?=[0-9])", "point", Begins.SIGN),
    )


def _abbreviation_rules() -> tuple[Rule, ...]:
    after_name = table_rule(english_words.AFTER_NAMES)

    def say_after_name(match: re.Match[str]) -> str | None:
        said = after_name.say(match) if _follows_name(match) else None
        ends = said and match[0].endswith(".") and _NEW_SENTENCE.match(text_after(match))
        return f"{said}." if ends else said

    return (
        table_rule(english_words.ABBREVIATIONS),
        replace(table_rule(english_words.LAST_WORDS), may_end_sentence=True),
        Rule(after_name.pattern, say_after_name, Begins.LETTER),
        table_rule(english_words.TITLES, rf"(?={GAP}[A-Z])"),
        table_rule(english_words.BEFORE_NUMBERS, rf"(?={GAP}(?:[0-9]|(?:[VX]|[IVX]{{2,7}}){WORD_END}))"),
        table_rule(english_words.DAYS_SHORT, r"(?=,?\s?(?:[0-9]|[A-Z][a-z]{2}))"),
    )


def _follows_name(match: re.Match[str]) -> bool:
    before = word_before(match)
    return before in {"st", "nd", "rd", "th"} or (before[:1].isupper() and before not in _NO_STREETS)


def _phone_rules() -> tuple[Rule, ...]:
    apart = "[ .\\u00a0-]"
    area = r"(?:\([0-9]{3}\)|[2-9][0-9]{2})"
    patterns = (
        rf"(?:\+?1{apart})?{area}{apart}[0-9]{{3}}{apart}[0-9]{{4}}(?![\w-])",
        r"[2-9][0-9]{2}-[0-9]{4}(?![\w-])",
        rf"\+[1-9][0-9]{{0,2}}(?:{apart}?\([0-9]{{1,4}}\))?(?:{apart}?[0-9]{{1,4}}){{3,6}}(?![0-9])",
    )
    return (
        *(phone_rule(pattern, "plus", ENGLISH_NUMBERS.digits) for pattern in patterns),
        rule(r"[0-9]{3}(?![\w-]|[.,][0-9])", _say_service_number, Begins.DIGIT),
    )


def _say_service_number(match: re.Match[str]) -> str | None:
    return ENGLISH_NUMBERS.digits(match[0]) if word_before(match).lower() in _CALLS else None


def _say_height(match: re.Match[str]) -> str:
    return f"{ENGLISH_NUMBERS.cardinal(int(match[1]))} foot {ENGLISH_NUMBERS.cardinal(int(match[2]))}"


def _say_ratio(match: re.Match[str]) -> str:
    return f"{ENGLISH_NUMBERS.cardinal(int(match[1]))} to {ENGLISH_NUMBERS.cardinal(int(match[2]))}"


def _say_ordinal(match: re.Match[str]) -> str:
    return ENGLISH_NUMBERS.ordinal(int(match[1].replace(",", "")))


def _say_decade(match: re.Match[str]) -> str | None:
    value = int(match[1])
    is_decade = value in _YEARS or (
        20 <= value <= 90 and (match[0][0] in "'’" or _BEFORE_DECADE.search(text_before(match)))
    )
    return ENGLISH_NUMBERS.decade(value) if is_decade else None  # 30s alone are seconds


def _say_number(match: re.Match[str], figures: Figures) -> str:
    written = match[0]
    if version := figures.say_if_version(match):
        return version
    if written.isdigit() and len(written) == _FULL_YEAR and int(written) in _YEARS and not _counts(match):
        return ENGLISH_NUMBERS.year(int(written))
    return ENGLISH_NUMBERS.say(ENGLISH_NUMBERS.parse(written))


def _counts(match: re.Match[str]) -> bool:
    """Whether things follow of which there are so many."""
    following = _NEXT_WORD.match(text_after(match))
    if not following:
        return False
    noun = following[1]
    return noun in english_words.PLURALS or (noun.endswith("s") and noun not in _NO_NOUNS)


ENGLISH = Language(_rules(), ipa=english_words.IPA)
