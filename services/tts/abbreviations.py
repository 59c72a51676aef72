"""Dots that end no sentence: of abbreviations, initials and the numbers of a list; French and English alike. Pure."""

import re
from collections.abc import Iterable
from enum import Enum

from services.tts.reading import english_words, french_words


def _written_short(*tables: Iterable[str]) -> frozenset[str]:
    """The last words of what ends with a dot, without it."""
    return frozenset(key.split()[-1][:-1] for table in tables for key in table if key.endswith("."))


# What the reader knows how to say. Those with a capital letter are no abbreviations without it.
_TITLES = _written_short(french_words.TITLES, english_words.TITLES)
_SHORT = _written_short(
    *(french_words.ABBREVIATIONS, french_words.BEFORE_NUMBERS, french_words.LAST_WORDS),
    *(french_words.MONTHS_SHORT, french_words.STREETS),
    *(english_words.ABBREVIATIONS, english_words.BEFORE_NUMBERS, english_words.LAST_WORDS),
    *(english_words.DAYS_SHORT, english_words.AFTER_NAMES),
)
# Something always follows these, as it does titles.
_BEFORE_MORE = re.compile(
    r"(?i:mmes?|mlles?|mrs?|mgr|drs?|pr|prof|messrs|capt|sgt|lt|ste?|cf|pp?|ex|chap|ch|figs|eq|éd|bât|approx|vs|av|bd"
    r"|pl|imp|rte|chem|c\.?-?à[.-]d|n\.b|p\.-s|p\.ex|e\.?g|i\.e|viz)|apr?|Art"
)
# These may end a sentence, as all others do that the reader knows.
_BEFORE_MORE_OR_NOT = re.compile(
    r"(?i:cie|co|ca|al|j\.-c|a\.m|p\.m|ave|blvd|vol|art|t[ée]l|nos?|avr|juil|sept|oct|nov|d[ée]c|jan|feb|mar|apr|jun|jul"
    r"|aug|sep|tsp|tbsp|oz|lb)"
)
# Of an address, where it is no saint: `10 Downing St. They like it.`
_STREET = re.compile(r"\d{1,5} (?:[A-Z][\w'’-]{0,30} ){1,3}(?:St|Dr)\Z")
_OPENERS = "(«“„\"[*_'‘’"
_LINE_MARKS = " \t>*_#+(-"
_LIST_NUMBER = re.compile(r"\d{1,3}(?:\.\d{1,3}){0,3}|[A-Za-z]")
_LETTERS = re.compile(r"(?:[^\W\d_]{1,20}-)?(?:[^\W\d_]\.-?)*[^\W\d_]")
_ENDS = (*".!?…:;",)
_LONGEST = 24


class Dot(Enum):
    """What a dot is."""

    PART = "of an abbreviation: something follows"
    PART_OR_END = "the end of a sentence if the next word begins with a capital letter"
    END = "of a sentence"


def kind_of_dot(line: str) -> Dot:
    """What the dot is that follows on this beginning of a line."""
    word = _last_word(line)
    if _is_one_of(_TITLES, word) or _BEFORE_MORE.fullmatch(word):
        return Dot.PART_OR_END if _STREET.search(line) else Dot.PART
    if _is_one_of(_SHORT, word) or _BEFORE_MORE_OR_NOT.fullmatch(word):
        return Dot.PART_OR_END
    if _is_list_number(line, word):
        return Dot.PART
    if _LETTERS.fullmatch(word):  # `J. Dupont`, `J.-J. Rousseau`, `Jean-F. Copé`, `U.S. Army`; but `à 8 h. Puis`
        return Dot.PART if word[0].isupper() and word[-1].isupper() else Dot.PART_OR_END
    return Dot.PART_OR_END if word.isdigit() else Dot.END


def _is_one_of(known: frozenset[str], word: str) -> bool:
    return word in known or word.lower() in known


def _last_word(line: str) -> str:
    words = line[-_LONGEST:].split()
    if not words or line[-1].isspace():
        return ""
    return re.split("['’]", words[-1].lstrip(_OPENERS))[-1]  # `l'U.R.S.S`


def _is_list_number(line: str, word: str) -> bool:
    """`1` of `1. Premier`, and of `Voici : 1. Premier`, but not of `J'en ai 1. Premier`."""
    if _LIST_NUMBER.fullmatch(word) is None:
        return False
    before = line[: -len(word)].rstrip(_LINE_MARKS)
    return not before or before.endswith(_ENDS)
