"""How French says numbers."""

from services.tts.reading.numbers import Noun, Number, NumberGrammar, spell

_SCALES = {10**6: Noun("million", "millions"), 10**9: Noun("milliard", "milliards")}
_PARTS = {2: ("demi", "demis"), 3: ("tiers", "tiers"), 4: ("quart", "quarts")}
_ORDINAL_STEMS = {"cinq": "cinqu", "neuf": "neuv"}
_MOST_NAMED_PART = 10


class FrenchNumbers(NumberGrammar):
    """Vingt et un, quatre-vingts, deux cents."""

    decimal_marks = {",": "virgule", ".": "point"}  # noqa: RUF012  # nobody writes to it
    group_marks = {"[ \\u00a0\\u2009\\u202f]": 1, "['’]": 1, r"\.": 1, ",": 2}  # noqa: RUF012
    to = "à"

    def cardinal(self, value: int, *, is_feminine: bool = False) -> str:
        """Un or une, deux, trois."""
        words = spell(value, "fr")
        return f"{words}e" if is_feminine and words.endswith("un") else words

    def ordinal(self, value: int, *, is_feminine: bool = False) -> str:
        """Premier or première, deuxième, troisième."""
        if value == 1:
            return "première" if is_feminine else "premier"
        words = self.cardinal(value).removeprefix("un ")
        last = words.replace("-", " ").split()[-1]
        stem = _ORDINAL_STEMS.get(last) or (last if last in {"trois", "six", "dix"} else last.removesuffix("s"))
        return f"{words.removesuffix(last)}{stem.removesuffix('e')}ième"

    def say_fraction(self, digits: str) -> str:
        """Zéro cinq, soixante-quinze, un quatre un six."""
        rest = digits.lstrip("0")
        zeros = ["zéro"] * (len(digits) - len(rest))
        if rest:
            zeros.append(self.cardinal(int(rest)) if len(rest) <= 3 else self.digits(rest))
        return " ".join(zeros)

    def is_plural(self, number: Number) -> bool:
        """From two on: one and a half is not."""
        return number.value >= 2

    def count(self, number: Number, noun: Noun) -> str:
        """Vingt et une heures, un million d'euros."""
        said = super().count(number, noun)
        if number.fraction or number.value < 10**6 or number.value % 10**6:
            return said
        return f"{self.say(number)} {of(noun.plural)}"

    def scaled(self, number: Number, scale: int, noun: Noun) -> str:
        """Trois mille euros, un virgule cinq million d'euros."""
        if scale in _SCALES:
            return f"{super().count(number, _SCALES[scale])} {of(noun.plural)}"
        if len(number.fraction) > 3:
            return f"{self.say(number)} mille {noun.plural}"
        return self.count(number.thousandfold, noun)

    def ratio(self, numerator: int, denominator: int) -> str:
        """Trois quarts, quinze sur vingt, cinquante cinquante."""
        if numerator == denominator:
            return f"{self.cardinal(numerator)} {self.cardinal(denominator)}"
        if not 0 < numerator < denominator or not (2 <= denominator <= _MOST_NAMED_PART or denominator in {100, 1000}):
            return f"{self.cardinal(numerator)} sur {self.cardinal(denominator)}"
        ordinal = self.ordinal(denominator)
        singular, plural = _PARTS.get(denominator, (ordinal, f"{ordinal}s"))
        return f"{self.cardinal(numerator)} {singular if numerator == 1 else plural}"

    def portion(self, whole: int, numerator: int, denominator: int, noun: Noun) -> str:
        """Un demi-litre, trois quarts de litre, un litre et demi."""
        is_half = (numerator, denominator) == (1, 2)
        if not whole:
            half = f"{self.cardinal(1, is_feminine=noun.is_feminine)} demi-{noun.singular}"
            return half if is_half else f"{self.ratio(numerator, denominator)} {of(noun.singular)}"
        half = "demie" if noun.is_feminine else "demi"
        part = half if is_half else self.ratio(numerator, denominator)
        return f"{self.count(Number(str(whole)), noun)} et {part}"

    def mixed(self, whole: int, numerator: int, denominator: int) -> str:
        """Deux et demi, deux trois quarts."""
        if (numerator, denominator) == (1, 2):
            return f"{self.cardinal(whole)} et demi"
        return f"{self.cardinal(whole)} et {self.ratio(numerator, denominator)}"


def of(word: str) -> str:
    """With `de` before it, or `d'`."""
    return f"d'{word}" if word[0] in "aeiouéèêh" else f"de {word}"


FRENCH_NUMBERS = FrenchNumbers()
