"""How English says numbers."""

from services.tts.reading.numbers import Noun, Number, NumberGrammar, spell

_SCALES = {10**3: "thousand", 10**6: "million", 10**9: "billion", 10**12: "trillion"}
_PARTS = {2: ("half", "halves"), 4: ("quarter", "quarters")}
_MOST_NAMED_PART = 20
_ATTACKS = (9, 11)  # of September 2001


class EnglishNumbers(NumberGrammar):
    """Twenty-one, one hundred and one."""

    decimal_marks = {".": "point"}  # noqa: RUF012  # nobody writes to it
    group_marks = {",": 1, "[\\u00a0\\u2009\\u202f]": 1, " ": 2, "['’]": 1}  # noqa: RUF012
    to = "to"

    def cardinal(self, value: int, *, is_feminine: bool = False) -> str:
        """One, two, three."""
        return spell(value, "en").replace(",", "")

    def ordinal(self, value: int, *, is_feminine: bool = False) -> str:
        """First, second, third."""
        return spell(value, "en", "ordinal").replace(",", "")

    def year(self, value: int) -> str:
        """Nineteen eighty-four, nineteen oh five, two thousand."""
        return spell(value, "en", "year").replace("oh-", "oh ")

    def decade(self, value: int) -> str:
        """The nineteen nineties, the eighties."""
        words = self.year(value) if value >= 100 else self.cardinal(value)
        return f"{words[:-1]}ies" if words.endswith("y") else f"{words}s"

    def say_fraction(self, digits: str) -> str:
        """Digit by digit."""
        return self.digits(digits)

    def is_plural(self, number: Number) -> bool:
        """All but exactly one."""
        return bool(number.fraction) or number.value != 1

    def scaled(self, number: Number, scale: int, noun: Noun) -> str:
        """Two point five million dollars."""
        return f"{self.say(number)} {_SCALES[scale]} {noun.plural}"

    def ratio(self, numerator: int, denominator: int) -> str:
        """Three quarters, fifty fifty, twenty-four seven, fifteen over thirty."""
        if numerator >= denominator or (numerator, denominator) == _ATTACKS:
            return f"{self.cardinal(numerator)} {self.cardinal(denominator)}"
        if not numerator or not (2 <= denominator <= _MOST_NAMED_PART or denominator in {100, 1000}):
            return f"{self.cardinal(numerator)} over {self.cardinal(denominator)}"
        ordinal = self.ordinal(denominator).removeprefix("one ")
        singular, plural = _PARTS.get(denominator, (ordinal, f"{ordinal}s"))
        return f"{self.cardinal(numerator)} {singular if numerator == 1 else plural}"

    def portion(self, whole: int, numerator: int, denominator: int, noun: Noun) -> str:
        """Half a teaspoon, three quarters of a teaspoon, one and a half teaspoons."""
        if whole:
            return f"{self.mixed(whole, numerator, denominator)} {noun.plural}"
        one = f"{'an' if noun.singular[0] in 'aeiou' or noun.singular == 'hour' else 'a'} {noun.singular}"
        is_half = (numerator, denominator) == (1, 2)
        return f"half {one}" if is_half else f"{self.ratio(numerator, denominator)} of {one}"

    def mixed(self, whole: int, numerator: int, denominator: int) -> str:
        """Two and three quarters, one and a half."""
        part = self.ratio(numerator, denominator)
        return f"{self.cardinal(whole)} and {part.replace('one ', 'a ') if denominator in _PARTS else part}"


ENGLISH_NUMBERS = EnglishNumbers()
