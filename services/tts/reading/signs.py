"""Mathematical and other signs: said where they stand between operands, silent where they only adorn."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from services.tts.reading.numbers import NumberGrammar
from services.tts.reading.rules import SPACE, Begins, Rule, any_of, rule, says, text_after

_SPACES = " \t\u00a0\u2009\u202f"
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_REACH = 24

_LETTER = r"(?:(?<![^\W_])(?<!°)[^\W\d_]|(?<=[0-9])[abcnxyz])"  # alone, or after a factor: a variable
_VALUE_BEFORE = re.compile(rf"(?:[0-9)\]%°²³]|{_LETTER})\Z")
_MEASURE_BEFORE = re.compile(
    r"(?:\A|[\s(\[«\"'’$€£/]|[\s(][-−])[0-9](?:[0-9.,:h\u00a0\u202f]{0,16}[0-9h])? ?"
    r"(?:[^\W\d_]{1,3}|[ap]\.m\.|[°%€$£]C?)?\Z"
)
_RAISED_BEFORE = re.compile(r"(?:[0-9)\]]|(?<![^\W_])[^\W\d_]{1,2})\Z")
_NUMBER_AFTER = re.compile(r"[-−+±]?[$€£√(]?\.?[0-9]")
# No words of one letter: in 2024 - à Paris, a new song, I think.
_VALUE_AFTER = re.compile(r"[-−+±√(]{0,2}(?:[0-9]|(?![àÀôÔI]|[aAyY] [^\W\d_]{2})[^\W\d_](?![^\W_]))")
_WORD_AFTER = re.compile(r"[-−√(\"«]?[^\W_]")
_WHOLE_BEFORE = re.compile(r"[0-9]{1,9}\Z")
_WHOLE_AFTER = re.compile(r"[0-9]{1,9}")
_CHAIN = re.compile(r"[0-9][-–][0-9]{1,12}\Z")
_CHAIN_AFTER = re.compile(r"[0-9]{1,12}[-–][0-9]")


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


class Signs:
    """The rules for signs."""

    def __init__(self, numbers: NumberGrammar, words: SignWords) -> None:
        self._numbers = numbers
        self._words = words

    def rules(self) -> tuple[Rule, ...]:
        """In their order."""
        words = self._words
        return (
            rule(r"[-−–—]", self._say_dash, Begins.SIGN),
            rule(r"\+", self._say_plus, Begins.SIGN),
            says(rf"~(?={SPACE}?[0-9])", words.about, Begins.SIGN),
            rule(r"\^\{?(?P<known>[23](?![0-9]))?(?P<minus>[-−](?=[^\W_]))?", self._say_power, Begins.SIGN),
            rule(r"[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]{1,4}", self._say_raised),
            rule(any_of(words.between_values), self._say_between_values),
            rule(any_of(words.between_words), self._say_between_words, Begins.SIGN),
            rule(any_of(words.anywhere), lambda match: words.anywhere[match[0]], Begins.SIGN),
            rule("[\u00b9\u2070-\u2089\u2150-\u218b\u2460-\u249b\u2776-\u2793]", self._say_numeral),
        )

    def _say_dash(self, match: re.Match[str]) -> str | None:
        left, right = _left(match), text_after(match)
        before, after = left.rstrip(_SPACES), right.lstrip(_SPACES)
        is_joined_left, is_joined_right = left == before != "", right == after != ""
        if _CHAIN.search(left) or (is_joined_left and _CHAIN_AFTER.match(right)):
            return None  # 1-2-3 is no range
        if is_joined_right and not is_joined_left:
            return self._words.minus if _NUMBER_AFTER.match(after) else None
        if is_joined_left != is_joined_right:
            return None
        return self._say_dash_between(match[0], before, after, is_joined=is_joined_left)

    def _say_dash_between(self, dash: str, before: str, after: str, *, is_joined: bool) -> str | None:
        first, last = _WHOLE_BEFORE.search(before), _WHOLE_AFTER.match(after)
        rises = bool(first and last and int(first[0]) < int(last[0]) and "=" not in after)
        if dash == "−" or (dash == "-" and not is_joined and not rises and _VALUE_BEFORE.search(before)):
            return self._words.minus if _VALUE_BEFORE.search(before) and _VALUE_AFTER.match(after) else None
        if not _MEASURE_BEFORE.search(before) or not _NUMBER_AFTER.match(after):
            return None
        return None if first and last and first[0] == last[0] else self._numbers.to  # 50-50 is no range

    def _say_plus(self, match: re.Match[str]) -> str | None:
        left, right = _left(match), text_after(match)
        if _NUMBER_AFTER.match(right) or left[-1:].isalnum():
            return self._words.plus
        return self._say_if_between_words(left, right, self._words.plus)

    def _say_between_values(self, match: re.Match[str]) -> str | None:
        left, right = _left(match), text_after(match)
        before, after = left.rstrip(_SPACES), right.lstrip(_SPACES)
        if match[0] == "/" and before[-1:].isdigit() and (left == before or right == after):
            return None  # numbers of a form that nobody knows
        if _VALUE_BEFORE.search(before) and _VALUE_AFTER.match(after):
            return self._words.between_values[match[0]]
        return None

    def _say_between_words(self, match: re.Match[str]) -> str | None:
        return self._say_if_between_words(_left(match), text_after(match), self._words.between_words[match[0]])

    def _say_if_between_words(self, left: str, right: str, said: str) -> str | None:
        before = left.rstrip(_SPACES)[-1:]
        has_left = before.isalnum() or before in {")", "]", "%", "€", "!"}
        return said if has_left and _WORD_AFTER.match(right.lstrip(_SPACES)) else None

    def _say_power(self, match: re.Match[str]) -> str | None:
        if not _VALUE_BEFORE.search(_left(match)):
            return None
        if match["known"]:
            return self._words.squared if match["known"] == "2" else self._words.cubed
        return f"{self._words.power} {self._words.minus if match['minus'] else ''}"

    def _say_raised(self, match: re.Match[str]) -> str | None:
        if not _RAISED_BEFORE.search(_left(match)):
            return ""  # the number of a note
        power = match[0].translate(_RAISED)
        known = {"2": self._words.squared, "3": self._words.cubed}.get(power)
        if known or not power.removeprefix("-").isdigit():
            return known or ""
        sign = f"{self._words.minus} " if power.startswith("-") else ""
        return f"{self._words.power} {sign}{self._numbers.read(power.removeprefix('-'))}"

    def _say_numeral(self, match: re.Match[str]) -> str | None:
        value = unicodedata.numeric(match[0], -1)
        return self._numbers.cardinal(int(value)) if value >= 0 and value == int(value) else None


def _left(match: re.Match[str]) -> str:
    return match.string[max(0, match.start() - _REACH) : match.start()]
