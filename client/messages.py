"""The person's own language: English, which is in the code, or French, which is in client/french."""

import locale
import os
import re
import string
from collections.abc import Mapping
from importlib import import_module
from typing import Any

ENGLISH = "en"
FRENCH = "fr"
_LANGUAGES = {"en": ENGLISH, "english": ENGLISH, "fr": FRENCH, "french": FRENCH}  # Windows says "French_France"
_PLAIN = frozenset({"c", "posix"})  # the locales of no country: programs answer them in English, whatever else is set
_catalogue: dict[str, str] = {}  # of the language that `speak` chose; English needs none


class _French(string.Formatter):
    """Puts values into French sentences: 1,5 where English has 1.5."""

    def format_field(self, value: Any, format_spec: str) -> str:
        told: str = super().format_field(value, format_spec)
        return told.replace(".", ",") if isinstance(value, float) else told


def speak(language: str) -> None:
    """What is told from now on is in this language; one that is not known is English. Called once, at the start."""
    _catalogue.clear()
    if language == FRENCH:
        _catalogue.update(import_module("client.french").CATALOGUE)


def tr(sentence: str, /, **values: object) -> str:
    """The sentence in the person's language, with the values in place. A sentence without translation stays English.

    Braces are places for values only where there are values.
    """
    told = _catalogue.get(sentence, sentence)
    if not values:
        return told
    return _French().vformat(told, (), values) if _catalogue else told.format(**values)


def later(sentence: str, /) -> str:
    """The sentence itself: marks one that stands in a table, and that `tr` translates once it is told."""
    return sentence


def of_this_person() -> str:
    """The language that the terminal's settings ask for."""
    try:
        of_the_system = locale.getlocale()[0] or ""
    except ValueError:  # a locale that Python knows no name for
        of_the_system = ""
    return asked_for(os.environ, of_the_system)


def asked_for(environment: Mapping[str, str], of_the_system: str) -> str:
    """The language that these variables ask for, in the order in which GNU gettext reads them.

    LANGUAGE lists several, the best first, but not against a locale that asks for no language at all (LC_ALL=C). What
    the system itself says counts where no variable does, as on Windows.
    """
    of_the_locale = next(filter(None, map(environment.get, ("LC_ALL", "LC_MESSAGES", "LANG"))), "")
    if _first_part(of_the_locale) in _PLAIN:
        return ENGLISH
    wanted = (*environment.get("LANGUAGE", "").split(":"), of_the_locale or of_the_system)
    known = (_LANGUAGES[part] for part in map(_first_part, wanted) if part in _LANGUAGES)
    return next(known, ENGLISH)


def _first_part(of_locale: str) -> str:
    """`fr` of `fr_FR.UTF-8`, `fr-CA` and `fr@euro`."""
    return re.split(r"[_.@-]", of_locale, maxsplit=1)[0].lower()
