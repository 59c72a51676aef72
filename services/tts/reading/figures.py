"""Numbers of a form of their own: versions, fractions, sizes, telephone numbers, and those of cards."""

import re
import unicodedata
from collections.abc import Callable

from services.tts.reading.numbers import NumberGrammar
from services.tts.reading.rules import GAP, Begins, Rule, rule, word_before

_VERSION = r"(?P<version>[0-9]{1,5}(?:\.[0-9]{1,5}){2,5})(?![0-9]|\.[0-9])"
_STROKE = r"(?:(?P<whole>[0-9]{1,3}) )?(?P<top>[0-9]{1,4})[/⁄](?P<bottom>[0-9]{1,4})(?![\w/]|[.,][0-9])"
_ONE_SIGN = rf"(?:(?P<whole>[0-9]{{1,3}}){GAP})?(?P<part>[¼½¾⅐-⅞])"
_CARD = r"[0-9]{4}(?:[ -][0-9]{4}){2,4}(?![0-9])"
_BETWEEN_GROUPS = ", "  # a breath, as people take it there


class Figures:
    """The rules for them."""

    def __init__(self, numbers: NumberGrammar, version: str, by: str) -> None:
        """`version`: the word that `v` before a number stands for; `by`: between the sides of something."""
        self._numbers = numbers
        self._version = version
        self._by = by
        self._whole_number = re.compile(numbers.pattern)

    def rules(self) -> tuple[Rule, ...]:
        """In their order."""
        number = self._numbers.pattern
        return (
            rule(_CARD, self._say_card, Begins.DIGIT),
            rule(_VERSION, self._say_version, Begins.DIGIT),
            rule(r"[vV](?=[0-9]{1,5}(?:\.[0-9]|\b))", self._say_v, Begins.LETTER),
            rule(_STROKE, self._say_stroke, Begins.DIGIT),
            rule(_ONE_SIGN, self._say_one_sign),
            rule(rf"{number}(?:[x×]{number}){{1,2}}(?![0-9])", self._say_sides, Begins.DIGIT),
        )

    def _say_card(self, match: re.Match[str]) -> str:
        return _BETWEEN_GROUPS.join(self._numbers.digits(group) for group in re.split("[ -]", match[0]))

    def _say_version(self, match: re.Match[str]) -> str | None:
        if self._whole_number.fullmatch(match["version"]):
            return None  # 1.000.000, in a language that writes so
        return self.say_parts(match["version"])

    def _say_v(self, match: re.Match[str]) -> str:
        return "" if word_before(match).lower() == self._version else self._version

    def say_parts(self, version: str) -> str:
        """Each part of a version as a number."""
        return f" {self._numbers.decimal_marks['.']} ".join(self._numbers.read(part) for part in version.split("."))

    def _say_stroke(self, match: re.Match[str]) -> str | None:
        return self._say_fraction(match["whole"], int(match["top"]), int(match["bottom"]))

    def _say_one_sign(self, match: re.Match[str]) -> str | None:
        top, _, bottom = unicodedata.normalize("NFKC", match["part"]).partition("⁄")
        return self._say_fraction(match["whole"], int(top), int(bottom))

    def _say_fraction(self, whole: str | None, top: int, bottom: int) -> str | None:
        if not whole:
            return self._numbers.ratio(top, bottom)
        if not 0 < top < bottom:
            return None  # the first number is one by itself
        return self._numbers.mixed(int(whole), top, bottom)

    def _say_sides(self, match: re.Match[str]) -> str:
        sides = re.split("[x×]", match[0])
        return f" {self._by} ".join(self._numbers.say(self._numbers.parse(side)) for side in sides)


def phone_rule(pattern: str, plus: str, say_group: Callable[[str], str]) -> Rule:
    """For telephone numbers: group by group, with a breath between."""

    def say(match: re.Match[str]) -> str:
        groups = [say_group(group) for group in re.findall("[0-9]{1,15}", match[0])]
        return ("" if not match[0].startswith("+") else f"{plus} ") + _BETWEEN_GROUPS.join(groups)

    return rule(pattern, say)
