"""Mathematical and other signs: said where they stand between operands, silent where they only adorn."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from services.tts.reading.dashes import Dashes
from services.tts.reading.numbers import NumberGrammar
from services.tts.reading.operands import NUMBER_AFTER, SPACES, VALUE_AFTER, VALUE_BEFORE, text_left_of
from services.tts.reading.rules import SPACE, Begins, Rule, any_of, rule, says, text_after

_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_GREEK = "αβγδεζηθικλμνξοπρστυφχψω"
_ALL_GREEK = "\u0370-\u03ff\u1f00-\u1fff"
_BARE_GREEK = rf"(?<![{_ALL_GREEK}])[Α-Ωα-ω]{{1,2}}(?![{_ALL_GREEK}])"  # more are a word

_RAISED_BEFORE = re.compile(r"(?:[0-9)\]]|(?<![^\W\d_])[^\W\d_]{1,2})\Z")
_BOUND_BEFORE = re.compile(r"[∑∏∫] ?(?:_(?:\([^()]{1,18}\)|[^\s()^]{1,6}))? ?\Z")
_WORD_AFTER = re.compile(r"[-−+±√∛∫∑∂(\"«]{0,3}(?:[^\W_]|∞)")
# No quotient: hours, a telephone number before the stroke; hours after it.
_FIGURES_BEFORE = re.compile(r"(?:[0-9] ?[h:][0-9]{0,2}|(?:[0-9]{2}[ .]){2}[0-9]{2})\Z")
_FIGURES_AFTER = re.compile(r"[0-9]{1,2} ?[h:]|(?:[0-9]{2}[ .]){2}[0-9]{2}")
_LETTERS_APART = re.compile(r"(?<![^\W_])[A-Z]/[A-Z](?![^\W_])")  # I/O, A/B
_ARGUMENT = rf"(?=[(_√0-9]|{SPACE}(?:[0-9√]|[xyztn{_GREEK}](?![^\W_])))"


@dataclass(frozen=True)
class SignWords:
    """How a language says signs."""

    plus: str
    minus: str
    about: str
    squared: str
    cubed: str
    power: str
    between_values: Mapping[str, str]  # said between numbers and variables only
    between_words: Mapping[str, str]  # said between whatever
    anywhere: Mapping[str, str]
    functions: Mapping[str, str]  # said before what they are of
    letters: Mapping[str, str]  # of Greek, in lower case


def greek(names: str) -> dict[str, str]:
    """The letters from alpha to omega, and their names in a language."""
    return dict(zip(_GREEK, names.split(), strict=True))


class Signs:
    """The rules for signs."""

    def __init__(self, numbers: NumberGrammar, words: SignWords) -> None:
        self._numbers = numbers
        self._words = words

    def rules(self) -> tuple[Rule, ...]:
        """In their order."""
        words = self._words
        return (
            says(r"\+/[-−]", words.anywhere["±"], Begins.SIGN),
            Dashes(self._numbers, words.minus).rule(),
            rule(r"\+", self._say_plus, Begins.SIGN),
            says(rf"~(?={SPACE}?[0-9])", words.about, Begins.SIGN),
            rule(r"\^\{?(?P<known>[23](?![0-9]))?(?P<minus>[-−](?=[^\W_]))?", self._say_power, Begins.SIGN),
            rule(r"[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]{1,4}", self._say_raised),
            rule(_BARE_GREEK, self._say_letters, Begins.LETTER),
            rule(rf"(?:{any_of(words.functions)}){_ARGUMENT}", lambda match: words.functions[match[0]], Begins.LETTER),
            rule(any_of(words.between_values), self._say_between_values),
            rule(any_of(words.between_words), self._say_between_words, Begins.SIGN),
            rule(any_of(words.anywhere), lambda match: words.anywhere[match[0]], Begins.SIGN),
            rule("[\u00b9\u2070-\u2089\u2150-\u218b\u2460-\u249b\u2776-\u2793]", self._say_numeral),
        )

    def _say_plus(self, match: re.Match[str]) -> str | None:
        left, right = text_left_of(match), text_after(match)
        if NUMBER_AFTER.match(right) or left[-1:].isalnum():
            return self._words.plus
        return self._say_if_between_words(left, right, self._words.plus)

    def _say_between_values(self, match: re.Match[str]) -> str | None:
        left, right = text_left_of(match), text_after(match)
        before, after = left.rstrip(SPACES), right.lstrip(SPACES)
        if match[0] == "x" and (left == before) != (right == after):
            return None  # extension x12
        if match[0] == "/" and _is_no_quotient(before, after, is_joined=left == before or right == after):
            return None
        if VALUE_BEFORE.search(before) and VALUE_AFTER.match(after):
            return self._words.between_values[match[0]]
        return None

    def _say_between_words(self, match: re.Match[str]) -> str | None:
        return self._say_if_between_words(text_left_of(match), text_after(match), self._words.between_words[match[0]])

    def _say_if_between_words(self, left: str, right: str, said: str) -> str | None:
        before = left.rstrip(SPACES)[-1:]
        has_left = before.isalnum() or before in {")", "]", "%", "€", "!", "²", "³", "∞", "°"}
        return said if has_left and _WORD_AFTER.match(right.lstrip(SPACES)) else None

    def _say_power(self, match: re.Match[str]) -> str | None:
        left = text_left_of(match)
        if _BOUND_BEFORE.search(left):
            return f"{self._numbers.to} {self._numbers.read(match['known']) if match['known'] else ''}"
        if not _RAISED_BEFORE.search(left):
            return None
        if match["known"]:
            return self._words.squared if match["known"] == "2" else self._words.cubed
        return f"{self._words.power} {self._words.minus if match['minus'] else ''}"

    def _say_raised(self, match: re.Match[str]) -> str | None:
        if not _RAISED_BEFORE.search(text_left_of(match)):
            return ""  # the number of a note
        power = match[0].translate(_RAISED)
        known = {"2": self._words.squared, "3": self._words.cubed}.get(power)
        if known or not power.removeprefix("-").isdigit():
            return known or ""
        sign = f"{self._words.minus} " if power.startswith("-") else ""
        return f"{self._words.power} {sign}{self._numbers.read(power.removeprefix('-'))}"

    def _say_letters(self, match: re.Match[str]) -> str | None:
        names = [self._words.letters.get(letter.lower(), "") for letter in match[0]]
        return " ".join(names) if all(names) else None

    def _say_numeral(self, match: re.Match[str]) -> str | None:
        value = unicodedata.numeric(match[0], -1)
        return self._numbers.cardinal(int(value)) if value >= 0 and value == int(value) else None


def _is_no_quotient(before: str, after: str, *, is_joined: bool) -> bool:
    """Numbers of a form that nobody knows, letters as in A/B, hours, telephone numbers."""
    are_letters = "=" not in before and _LETTERS_APART.search(f"{before[-2:]}/{after[:2]}")
    if is_joined and after[:1] != "(" and (before[-1:].isdigit() or are_letters):
        return True
    return _FIGURES_BEFORE.search(before) is not None or _FIGURES_AFTER.match(after) is not None
