"""Numbers of a form of their own: versions, powers of ten, sizes, telephone numbers, and those of cards."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from services.tts.reading.numbers import NumberGrammar
from services.tts.reading.rules import Begins, Rule, rule, text_after, text_before, word_before, word_set

_VERSION = r"(?P<version>[0-9]{1,5}(?:\.[0-9]{1,5}){2,5})(?![0-9]|\.[0-9])"
_CARD = r"[0-9]{4}(?:[ -][0-9]{4}){2,4}(?![0-9])"
_SCIENTIFIC = r"(?P<factor>[0-9](?:[.,][0-9]{1,15})?)e(?P<exponent>[-+−]?[0-9]{1,3})(?![\w]|[.,][0-9])"
_OPERATOR_BEFORE = re.compile(r"[-−+=*/√]\s?\Z")
_OPERATOR_AFTER = re.compile(r"\s?[=+^*⁰¹²³⁴-⁹]")
_BETWEEN_GROUPS = ", "  # a breath, as people take it there


# Before a number these tell that it is a version.
SOFTWARE = word_set(
    """
    version python ubuntu java node ios android macos windows php ruby go cuda release debian
    """
)


@dataclass(frozen=True)
class FigureWords:
    """What a language says of them."""

    version: str  # which `v` before a number stands for
    by: str  # between the sides of something
    power_of_ten: str  # `fois dix puissance`, in 1e-3
    minus: str


class Figures:
    """The rules for them."""

    def __init__(self, numbers: NumberGrammar, words: FigureWords) -> None:
        self._numbers = numbers
        self._words = words
        self._whole_number = re.compile(numbers.pattern)

    def rules(self) -> tuple[Rule, ...]:
        """In their order."""
        number = self._numbers.pattern
        return (
            rule(_SCIENTIFIC, self._say_scientific, Begins.DIGIT),
            rule(_CARD, self._say_card, Begins.DIGIT),
            rule(_VERSION, self._say_version, Begins.DIGIT),
            rule(r"[vV](?=[0-9]{1,5}(?:\.[0-9]|\b))", self._say_v, Begins.LETTER),
            rule(rf"{number}(?:[x×]{number}){{1,2}}(?![0-9])", self._say_sides, Begins.DIGIT),
        )

    def _say_card(self, match: re.Match[str]) -> str:
        return _BETWEEN_GROUPS.join(self._numbers.digits(group) for group in re.split("[ -]", match[0]))

    def _say_scientific(self, match: re.Match[str]) -> str:
        exponent = match["exponent"].lstrip("+").replace("−", "-")
        sign = f"{self._words.minus} " if exponent.startswith("-") else ""
        factor = self._numbers.say(self._numbers.parse(match["factor"]))
        return f"{factor} {self._words.power_of_ten} {sign}{self._numbers.read(exponent.lstrip('-'))}"

    def _say_version(self, match: re.Match[str]) -> str | None:
        if self._whole_number.fullmatch(match["version"]):
            return None  # 1.000.000, in a language that writes so
        return self.say_parts(match["version"])

    def _say_v(self, match: re.Match[str]) -> str:
        return "" if word_before(match).lower() == self._words.version else self._words.version

    def say_if_version(self, match: re.Match[str]) -> str | None:
        """Two numbers with a dot between, where the word before them tells what they are."""
        is_version = "." in match[0] and word_before(match).lower() in SOFTWARE
        return self.say_parts(match[0]) if is_version else None

    def say_parts(self, version: str) -> str:
        """Each part of a version as a number."""
        return f" {self._numbers.decimal_marks['.']} ".join(self._numbers.read(part) for part in version.split("."))

    def _say_sides(self, match: re.Match[str]) -> str | None:
        if _OPERATOR_BEFORE.search(text_before(match)) or _OPERATOR_AFTER.match(text_after(match)):
            return None  # these are factors
        sides = re.split("[x×]", match[0])
        return f" {self._words.by} ".join(self._numbers.say(self._numbers.parse(side)) for side in sides)


def phone_rule(pattern: str, plus: str, say_group: Callable[[str], str]) -> Rule:
    """For telephone numbers: group by group, with a breath between."""

    def say(match: re.Match[str]) -> str:
        groups = [say_group(group) for group in re.findall("[0-9]{1,15}", match[0])]
        return ("" if not match[0].startswith("+") else f"{plus} ") + _BETWEEN_GROUPS.join(groups)

    return rule(pattern, say)
