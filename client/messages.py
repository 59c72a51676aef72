"""The person's own language: English, which is in the code, or French, which is in client/french."""

import locale
import os
from importlib import import_module

ENGLISH = "en"
FRENCH = "fr"
_catalogue: dict[str, str] = {}  # of the language that `speak` chose; English needs none


def speak(language: str) -> None:
    """What is told from now on is in this language; one that is not known is English. Called once, at the start."""
    _catalogue.clear()
    if language == FRENCH:
        _catalogue.update(import_module("client.french").CATALOGUE)


def tr(sentence: str, /, **values: object) -> str:
    """The sentence in the person's language, with the values in place. A sentence without translation stays English."""
    told = _catalogue.get(sentence, sentence)
    return told.format(**values) if values else told


def of_this_person() -> str:
    """The language that the terminal's settings ask for, as programs usually find it."""
    asked = next(filter(None, map(os.environ.get, ("LC_ALL", "LC_MESSAGES", "LANGUAGE", "LANG"))), None)
    asked = asked or locale.getlocale()[0] or ENGLISH  # Windows has no such variables, and calls it "French_France"
    return FRENCH if asked.lower().startswith(FRENCH) else ENGLISH
