"""Replies that nobody has said before, so that no cache says them: of one shape, and with other numbers each time."""

import random
import re
from dataclasses import dataclass
from itertools import count

_TOKEN = re.compile(r"\s*\w{1,6}|\s*[^\w\s]")
_SHAPES = {
    "fr": (
        "Bien sûr pour le dossier {a}, je m'en occupe tout de suite. Il sera prêt dans {b} minutes, avec les {c} pages "
        "que vous avez demandées hier. Voulez-vous que je vous rappelle à {d} heures, ou préférez-vous attendre ici ?"
    ),
    "en": (
        "Of course for file number {a}, I will see to it at once. It will be ready in {b} minutes, with the {c} pages "
        "that you have asked for yesterday. Shall I remind you at {d} o'clock, or would you rather wait here?"
    ),
}


@dataclass(frozen=True)
class Reply:
    """Three sentences."""

    text: str
    language_code: str

    @property
    def tokens(self) -> list[str]:
        """About as a language model writes them: white space belongs to what follows it."""
        return _TOKEN.findall(self.text)

    @property
    def first_clause_tokens(self) -> int:
        """How many there are when the first clause is complete, with the mark that ends it."""
        return self.tokens.index(",") + 1


class Replies:
    """Makes them."""

    def __init__(self, language_code: str) -> None:
        self._shape = _SHAPES[language_code]
        self._language_code = language_code
        self._numbers = count(1000)
        self._chance = random.Random(5)

    def fresh(self) -> Reply:
        """Another one."""
        number = next(self._numbers)
        later = {name: self._chance.randint(1, 10**6) for name in "bcd"}
        return Reply(self._shape.format(a=number, **later), self._language_code)
