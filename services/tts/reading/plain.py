"""Reads text without markup: the words of it, and the pause that its end asks for."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from services.common.text import clean, primary_language
from services.tts.config import ReadingSection
from services.tts.engine import Word
from services.tts.reading.emoji_names import EmojiReader
from services.tts.reading.lexicon import NO_LEXICON, Lexicon
from services.tts.reading.marks import last_mark
from services.tts.reading.traced import Traced
from services.tts.reading.words import to_words

# About what readers of news leave, in French as in English; shorter sounds out of breath, longer sounds like an end.
CLAUSE_PAUSE_MS = 120
SENTENCE_PAUSE_MS = 250
PARAGRAPH_PAUSE_MS = 500

_PARAGRAPH_END = re.compile(r"\n[ \t\r]{0,40}\n\s*\Z")
_SENTENCE_MARKS = frozenset(".!?…")


@dataclass(frozen=True)
class ReadingOptions:
    """How texts are read, settled at the start of the process."""

    names_emoji: bool = False
    lexicons: Mapping[str, Lexicon] = field(default_factory=dict)  # by language: `fr`

    @classmethod
    def of(cls, section: ReadingSection) -> "ReadingOptions":
        """Those of the settings; a bad entry of a lexicon is an error that names it."""
        lexicons = {primary_language(code): Lexicon(entries) for code, entries in section.lexicon.items()}
        return cls(section.emoji == "named", lexicons)


class PlainReader:
    """Reads texts of one language; it holds no state of any of them."""

    def __init__(self, language: str, options: ReadingOptions) -> None:
        self._language = language
        self._lexicon = options.lexicons.get(primary_language(language), NO_LEXICON)
        self._emoji = EmojiReader(language, is_named=options.names_emoji)

    def read(self, text: Traced) -> tuple[Word, ...]:
        """What is said of it."""
        return to_words(self._emoji.read(Traced(clean(text.text), text.sources)), self._language, self._lexicon)


def pause_after(text: str) -> int:
    """Milliseconds of silence that a reader makes where this text ends."""
    if _PARAGRAPH_END.search(text[-100:]):
        return PARAGRAPH_PAUSE_MS
    mark = last_mark(text)
    if mark in _SENTENCE_MARKS:
        return SENTENCE_PAUSE_MS
    ends_line = "\n" in text[len(text.rstrip()) :]
    return CLAUSE_PAUSE_MS if mark or ends_line else 0
