"""Letters said one by one: acronyms, and parts of addresses that nobody could pronounce."""

import re
from collections.abc import Callable, Mapping

from services.tts.reading.numbers import NumberGrammar
from services.tts.reading.rules import Begins, Rule, rule, text_after, text_before

_PART = re.compile(r"[0-9]{1,40}|[^\W\d_]{1,100}|.", re.DOTALL)
_VOWEL = re.compile(r"[aeiouyà-öø-ÿœ]", re.IGNORECASE)
# Syllables: at most two consonants at a time, and at the end only pairs that are easy to say.
_EASY = re.compile(
    r"(?:[BCDFGHJKLMNPQRSTVWXZ]|[BCDFGPTSK][LRH]|S[CKMNPT]|TH|QU)?"
    r"[AEIOUY]{1,2}(?:[BCDFGHJKLMNPQRSTVWXZ]{1,2}[AEIOUY]{1,2}){0,6}"
    r"(?:[BCDFGKLMNPRSTVXZ]|[LNR][DKTSP]|ST|CK|SS|LL|NG)?"
)
_SHORT = 3  # so many letters are spelled, even if they could be read
_LONG = 6  # so many are a word that is shouted
_ACRONYM = r"(?P<letters>[A-Z]{2,12})(?P<plural>['’]?s)?(?![^\W\d_⁰-₉¹²³])"
_DOTTED = r"(?P<letters>(?:[A-Z]\.){1,7}[A-Z]\.?)(?!\w)"
_SHOUT_AFTER = re.compile(r"[ ,!]{1,2}([A-ZÀ-Þ]{4,30})(?!\w)")
_SHOUT_BEFORE = re.compile(r"(?<!\w)([A-ZÀ-Þ]{4,30})[ ,!]{1,2}\Z")


def spell_letters(letters: str) -> str:
    """`P D F` of `pdf`."""
    return " ".join(letters.upper())


def spell_short(text: str) -> str:
    """The letters of what is too short or too hard to be read, else the text itself."""
    if text.isalpha() and (len(text) <= 2 or not _VOWEL.search(text)) and len(text) <= 5:
        return spell_letters(text)
    return text


def spell_out(text: str, marks: Mapping[str, str], numbers: NumberGrammar, say: Callable[[str], str]) -> str:
    """Letters by `say`, digits as numbers, marks by their names; what has none is not said."""
    said = []
    for part in _PART.findall(text):
        if "0" <= part[0] <= "9":
            said.append(numbers.read(part))
        elif part.isalpha():
            said.append(say(part))
        elif part in marks:
            said.append(marks[part])
    return " ".join(said)


class Acronyms:
    """The rules for words in capitals."""

    def __init__(self, read: frozenset[str], spelled: frozenset[str], plural: str) -> None:
        """`read`, `spelled`: those that the letters alone would not tell; `plural`: what its mark adds to a letter."""
        self._read = read
        self._spelled = spelled
        self._plural = plural

    def rules(self) -> tuple[Rule, ...]:
        """In their order."""
        return (
            rule(_DOTTED, self._say_dotted, Begins.LETTER),
            rule(_ACRONYM, self._say_acronym, Begins.LETTER),
            rule(r"(?<=[0-9])[A-Z](?![^\W_])|[A-Z](?=-?[0-9])-?", lambda match: match[0][0], Begins.LETTER),
        )

    def _say_dotted(self, match: re.Match[str]) -> str:
        letters = match["letters"].replace(".", "")
        return letters if letters in self._read else spell_letters(letters)

    def _say_acronym(self, match: re.Match[str]) -> str | None:
        letters = match["letters"]
        is_part_of_name = "&" in {text_before(match)[-1:], text_after(match)[:1]}  # AT&T
        if not is_part_of_name and not self._is_spelled(match):
            return None  # the letters are a word
        return spell_letters(letters) + (self._plural if match["plural"] else "")

    def _is_spelled(self, match: re.Match[str]) -> bool:
        letters = match["letters"]
        if letters in self._read:
            return False
        if letters in self._spelled or not _VOWEL.search(letters):
            return True
        if _EASY.fullmatch(letters) and self._is_among_shouts(match):
            return False
        return len(letters) <= _SHORT or (len(letters) < _LONG and not _EASY.fullmatch(letters))

    def _is_among_shouts(self, match: re.Match[str]) -> bool:
        neighbours = (_SHOUT_AFTER.match(text_after(match)), _SHOUT_BEFORE.search(text_before(match)))
        return any(found and found[1] not in self._read and _VOWEL.search(found[1]) for found in neighbours)
