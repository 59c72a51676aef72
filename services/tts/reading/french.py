"""How French is read aloud."""

import re
from dataclasses import replace

from services.tts.reading import french_dates, french_signs, french_words
from services.tts.reading.addresses import Addresses
from services.tts.reading.figures import Figures, FigureWords, phone_rule
from services.tts.reading.fractions import Fractions
from services.tts.reading.french_measures import MEASURES
from services.tts.reading.french_numbers import FRENCH_NUMBERS
from services.tts.reading.numbers import Number
from services.tts.reading.quantities import Quantities
from services.tts.reading.romans import Romans, roman_value
from services.tts.reading.rules import (
    GAP,
    SPACE,
    WORD_END,
    Begins,
    Language,
    Rule,
    any_of,
    rule,
    table_rule,
    text_after,
    text_before,
)
from services.tts.reading.signs import Signs
from services.tts.reading.spelling import Acronyms

_APART = "[ .\\u00a0\\u202f-]?"  # between the pairs of a telephone number
_CAPITAL = "[A-ZÀÂÇÉÈÊÎÔÛÜ]"

_ENDINGS = {"er": False, "ers": False, "ᵉʳ": False, "re": True, "res": True, "ère": True, "ères": True, "ʳᵉ": True}
_DEUXIEME = ("e", "es", "ème", "èmes", "eme", "emes", "ième", "ièmes", "ᵉ", "ᵉˢ")
_SECOND = {"nd": "second", "nds": "seconds", "nde": "seconde", "ndes": "secondes", "de": "seconde", "des": "secondes"}
_ENDING = any_of([*_ENDINGS, *_DEUXIEME, *_SECOND])

_OF_NAME = rf"(?:de{SPACE}|d['’])?"
_CODE_ARTICLE = r"(?P<letter>[LRDA])(?:\.\s?|\b|(?=[0-9]))(?P<parts>[0-9]{1,4}(?:-[0-9]{1,4}){1,3})(?![\w-])"
_INCLUSIVE = r"([^\W\d_]{2,30})(?:(?:·[^\W\d_]{1,6}){1,2}|\((?:e|ne|le|trice|rice|se|ère)\)s?)"
# A formula, where a dot is a decimal mark, as in x = 1.234; elsewhere it parts thousands: 1.234 habitants.
_OPERATOR_BEFORE = re.compile(r"[=≈≃~<>≤≥×*+/^√]\s?\Z")
_NEXT_WORD = re.compile(f"{GAP}(?:(?:[-–]|à ){GAP}[0-9]{{1,12}}{GAP})?([^\\W\\d_]{{2,30}})")
_FEMININE_ENDING = re.compile(rf"[^\W\d_]{{1,25}}{french_words.FEMININE_ENDING}")


def _rules() -> tuple[Rule, ...]:
    numbers = FRENCH_NUMBERS
    romans = Romans(french_words.RULERS, french_words.NUMBERED_PARTS, _say_ruler)
    acronyms = Acronyms(french_words.READ_ACRONYMS, french_words.SPELLED_ACRONYMS, plural="")
    figures = Figures(numbers, FigureWords("version", "par", "fois dix puissance", "moins"))
    fractions = Fractions(numbers, MEASURES)
    return (
        *Addresses(numbers, french_signs.ADDRESS_WORDS).rules(),
        table_rule(french_words.ABBREVIATIONS),
        replace(table_rule(french_words.LAST_WORDS), may_end_sentence=True),
        table_rule(french_words.POLITE, rf"(?={GAP}(?:l(?:es?|a){GAP}\b|l['’]))"),
        table_rule(french_words.TITLES, rf"(?=(?:{GAP}|-){_OF_NAME}{_CAPITAL})"),
        table_rule(french_words.STREETS, rf"(?={GAP}(?:{_CAPITAL}|d(?:u|es?){SPACE}|d['’]|la{SPACE}))"),
        rule(_CODE_ARTICLE, _say_code_article, Begins.LETTER),
        table_rule(french_words.BEFORE_NUMBERS, rf"(?={GAP}(?:[0-9]|[IVXLC]{{1,7}}{WORD_END}|[LRDA]\.))"),
        *french_dates.rules(),
        *_phone_rules(),
        *fractions.of_units(),
        rule(rf"(?:1/2|½)(?={GAP}[^\W\d_])", _say_half, Begins.DIGIT | Begins.SIGN),
        *fractions.alone(),
        *figures.rules(),
        rule(rf"([0-9]{{1,2}})[mM]([0-9]{{2}}){WORD_END}", _say_height, Begins.DIGIT),
        *Quantities(numbers, MEASURES).rules(),
        rule(rf"([0-9]{{1,9}})({_ENDING}){WORD_END}", _say_ordinal, Begins.DIGIT),
        rule(rf"([IVX]{{1,7}})({_ENDING}){WORD_END}", _say_roman_ordinal, Begins.LETTER),
        romans.rule(numbers.cardinal),
        *acronyms.rules(),
        *Signs(numbers, french_signs.SIGNS).rules(),
        rule(_INCLUSIVE, _say_inclusive, Begins.LETTER),
        rule(numbers.pattern, lambda match: figures.say_if_version(match) or _say_number(match), Begins.DIGIT),
    )


def _phone_rules() -> tuple[Rule, ...]:
    patterns = (
        rf"0[1-9](?:{_APART}[0-9]{{2}}){{4}}(?![0-9])",
        rf"0{_APART}8[0-9]{{2}}(?:{_APART}[0-9]{{2,3}}){{2,3}}(?![0-9])",
        rf"\+[1-9][0-9]{{0,2}}(?:{_APART}\([0-9]{{1,4}}\))?(?:{_APART}[0-9]{{1,4}}){{3,6}}(?![0-9])",
    )
    return tuple(phone_rule(pattern, "plus", _say_phone_group) for pattern in patterns)


def _say_phone_group(group: str) -> str:
    """In pairs, a lone first digit before them; `06` is zéro six."""
    if len(group) == 3 and not group.startswith("0"):
        return FRENCH_NUMBERS.cardinal(int(group))
    first = len(group) % 2
    pairs = [group[:first], *(group[start : start + 2] for start in range(first, len(group), 2))]
    return ", ".join(FRENCH_NUMBERS.read(pair) for pair in pairs if pair)


def _say_code_article(match: re.Match[str]) -> str:
    """L. 121-1 of a code of law."""
    return f"{match['letter']} {' tiret '.join(FRENCH_NUMBERS.read(part) for part in match['parts'].split('-'))}"


def _say_height(match: re.Match[str]) -> str:
    metres = int(match[1])
    return f"{FRENCH_NUMBERS.cardinal(metres)} {'mètre' if metres < 2 else 'mètres'} {FRENCH_NUMBERS.read(match[2])}"


def _say_ordinal(match: re.Match[str]) -> str | None:
    return _ordinal(int(match[1]), match[2])


def _say_roman_ordinal(match: re.Match[str]) -> str | None:
    return _ordinal(roman_value(match[1]), match[2])


def _ordinal(value: int, ending: str) -> str | None:
    if ending in _SECOND:
        return _SECOND[ending] if value == 2 else None
    if (ending in _ENDINGS) != (value == 1) or not value:
        return None
    said = FRENCH_NUMBERS.ordinal(value, is_feminine=_ENDINGS.get(ending, False))
    return f"{said}s" if ending.endswith("s") else said


def _say_ruler(value: int) -> str:
    return FRENCH_NUMBERS.ordinal(1) if value == 1 else FRENCH_NUMBERS.cardinal(value)


def _say_inclusive(match: re.Match[str]) -> str:
    """Étudiant·e·s and étudiant(e)s are said étudiants, as most people do."""
    return f"{match[1]}s" if match[0].endswith("s") and not match[1].endswith("s") else match[1]


def _say_half(match: re.Match[str]) -> str | None:
    return "une demi" if _is_of_feminine(match) else None


def _say_number(match: re.Match[str]) -> str:
    number = FRENCH_NUMBERS.parse(match[0])
    whole, dot, fraction = match[0].partition(".")
    if dot and fraction.isdigit() and _OPERATOR_BEFORE.search(text_before(match)):
        number = Number(whole, dot, fraction)
    return FRENCH_NUMBERS.say(number, is_feminine=_is_of_feminine(match))


def _is_of_feminine(match: re.Match[str]) -> bool:
    """Whether a noun of that kind follows."""
    following = _NEXT_WORD.match(text_after(match))
    noun = following[1].lower() if following else ""
    return (
        noun in french_words.FEMININE
        or noun.removesuffix("s") in french_words.FEMININE
        or _FEMININE_ENDING.fullmatch(noun) is not None
    )


_ELISION = re.compile(r"(?:[ldjmtnscLDJMTNSC]|[qQ]u|[jJ]usqu|[lL]orsqu|[pP]uisqu|[qQ]uoiqu)['’](?=\w|[«“„‘\"]\s?\w)")
FRENCH = Language(_rules(), _ELISION, french_words.IPA)
