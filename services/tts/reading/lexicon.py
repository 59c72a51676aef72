"""The owner's own pronunciations: written words, and how they are said."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from services.common.errors import SettingsError
from services.tts.reading.rules import any_case_of

_IPA = re.compile(r"/([^/\s](?:[^/]{0,98}[^/\s])?)/")
_MAX_CHARACTERS = 100


@dataclass(frozen=True)
class Entry:
    """How a word is said: as other words, or in IPA."""

    said: str
    ipa: str = ""


class Lexicon:
    """Whole words, found in any case unless they are written with an upper-case letter."""

    def __init__(self, entries: Mapping[str, str] | None = None) -> None:
        """`entries`: what is written, and what is said: words, or IPA between slashes."""
        self._entries = {written: _entry(written, said) for written, said in (entries or {}).items()}
        self._pattern = re.compile(f"(?:{any_case_of(self._entries)})(?!\\w|[-'’]\\w)" if self._entries else r"(?!)")

    def find(self, text: str, position: int) -> tuple[Entry, int] | None:
        """How the word that begins at `position` is said, and where it ends."""
        match = self._pattern.match(text, position)
        if match is None:
            return None
        written = " ".join(match[0].split())
        entry = self._entries.get(written) or self._entries.get(written.lower())
        if entry is None:  # a letter whose lower case is another's, as the Kelvin sign's
            return None
        return (Entry(written, entry.ipa) if entry.ipa else entry), match.end()


def _entry(written: str, said: str) -> Entry:
    problem = _problem(written, said)
    if problem:
        raise SettingsError(f"settings: tts.reading.lexicon: {written[:40]!r}: {problem} (it is said {said[:40]!r})")
    ipa = _IPA.fullmatch(said)
    return Entry(written, ipa[1]) if ipa else Entry(said)


def _problem(written: str, said: str) -> str:
    if not written.strip() or written != " ".join(written.split()):
        return "the written word is empty or has needless space"
    if not any(character.isalnum() for character in said):
        return "nothing is said"
    if max(len(written), len(said)) > _MAX_CHARACTERS:
        return f"longer than {_MAX_CHARACTERS} characters"
    if "/" in said and not _IPA.fullmatch(said):
        return "IPA stands between two slashes, as in /lidz/, and words have none"
    return ""


NO_LEXICON = Lexicon()
