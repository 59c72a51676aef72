"""How many words were misunderstood: the word error rate."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from services.common.text import primary_language

_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "’": "'", "ʼ": "'", "‘": "'"})
# Recognisers write "dont" or "don't", "l'eau" or "l' eau": the two parts are one word in English, two in French.
_JOINS_AT_APOSTROPHE = frozenset({"en"})
_NO_WORD = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class WordErrors:
    """Words that were replaced, left out or added, of so many that were said."""

    errors: int
    words: int

    @property
    def rate(self) -> float:
        """1.0 is as many errors as words; more is possible."""
        return self.errors / self.words


def word_errors(sentence: str, understood: str, language_code: str) -> WordErrors:
    """Compares what was understood with what was to be said."""
    said = words(sentence, language_code)
    if not said:
        raise ValueError(f"{sentence!r} holds no word that could be misunderstood")
    return WordErrors(_distance(said, words(understood, language_code)), len(said))


def total(parts: Iterable[WordErrors]) -> WordErrors:
    """Of all sentences together: a long one counts for more than a short one."""
    found = tuple(parts)
    return WordErrors(sum(one.errors for one in found), sum(one.words for one in found))


def words(text: str, language_code: str) -> list[str]:
    """The words without case, punctuation and typography. Numbers stay as written: "2" is not "deux"."""
    plain = unicodedata.normalize("NFKC", text).lower().translate(_LIGATURES)
    if primary_language(language_code) in _JOINS_AT_APOSTROPHE:
        plain = plain.replace("'", "")
    return _NO_WORD.sub(" ", plain).split()


def _distance(said: Sequence[str], understood: Sequence[str]) -> int:
    """The fewest replacements, omissions and additions that make one of the other (Levenshtein's, over words)."""
    above = list(range(len(understood) + 1))
    for row, word in enumerate(said, start=1):
        left = [row]
        for column, other in enumerate(understood, start=1):
            left.append(min(above[column] + 1, left[-1] + 1, above[column - 1] + (word != other)))
        above = left
    return above[-1]
