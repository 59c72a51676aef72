"""Dots that end no sentence: of abbreviations, initials and the numbers of a list; French and English alike. Pure."""

import re
from enum import Enum

# Something always follows these. Those with a capital letter are no abbreviations without it.
_BEFORE_MORE = re.compile(
    r"(?i:mm?|mmes?|mlles?|mgr|drs?|pr|ste?|av|cf|pp?|ex|chap|éd|bd|rte|approx|vs|c\.?-à-d|n\.b|e\.g|i\.e|viz)"
    r"|(?i:mrs?|ms|messrs|prof|capt|lt|sgt)|Gen|Col|Rev|Hon|Sen|Rep|Gov|Mt|Ft"
)
# These may end a sentence.
_BEFORE_MORE_OR_NOT = re.compile(
    r"(?i:etc|cie|inc|ltd|co|corp|jr|sr|j\.-c|a\.m|p\.m|env|max|min|ca|dept|est|ave|blvd|fig|vol|art|réf|t[ée]l|nos?|al"
    r"|janv|févr|avr|juil|sept|oct|nov|déc|jan|feb|mar|apr|jun|jul|aug|sep|dec)"
)
_OPENERS = "(«“„\"[*_'‘’"
_LINE_MARKS = " \t>*_#+(-"
_LIST_NUMBER = re.compile(r"\d{1,3}(?:\.\d{1,3}){0,3}|[A-Za-z]")
_LETTERS = re.compile(r"(?:[^\W\d_]\.)*[^\W\d_]")
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
    if _BEFORE_MORE_OR_NOT.fullmatch(word):
        return Dot.PART_OR_END
    if _BEFORE_MORE.fullmatch(word) or _is_list_number(line, word):
        return Dot.PART
    if _LETTERS.fullmatch(word):  # `J. Dupont`, `U.S. Army`; but `à 8 h. Puis`
        return Dot.PART if word.isupper() else Dot.PART_OR_END
    return Dot.PART_OR_END if word.isdigit() else Dot.END


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
