"""Text becomes the words that are said, as a person would read it aloud. Pure, and linear in the length of the text."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from services.common.text import primary_language
from services.tts.engine import Word
from services.tts.reading.english import ENGLISH
from services.tts.reading.french import FRENCH
from services.tts.reading.lexicon import NO_LEXICON, Lexicon
from services.tts.reading.marks import last_mark
from services.tts.reading.rules import Language
from services.tts.reading.traced import Traced

LANGUAGES = {"fr": FRENCH, "en": ENGLISH}

# All but white space, digits of ASCII, and what is known to be no part of a word: punctuation, symbols, surrogates,
# private use. What is left are letters of all scripts with their marks, which `\w` would tear off.
_LETTER = (
    "[^\\s\\x00-@\\[-`{-©«-´¶-¹»-¿×÷\u2000-\u200b\u200e-\u206f\u2070-\u2bff\u3000-\u3004\u3008-\u3020"
    "\ud800-\uf8ff\ufe00-\ufe1f\ufe30-\ufe6f\uff00-\uff0f\uff1a-\uff20\ufff0-\uffff\U0001f000-\U0001fbff\U000e0000-\U0010ffff]"
)
_WORD = re.compile(f"{_LETTER}{{1,100}}(?:['’\u2010\u2011-]{_LETTER}{{1,100}}){{0,10}}")
_UNREAD_WORD = re.compile(r"[^\s\ud800-\udfff]{1,200}")
_SPACE = re.compile(r"\s{1,1000}")
_END = re.compile(r"\s{0,100}\Z")
_NEXT_SENTENCE = re.compile(r"\s{0,100}(?:\Z|\s[«“\"(]?[A-ZÀ-Þ])")

_CLOSING = ".,;:!?…)]}»”’\"'"
_OPENING = "([{«“„‘‹¿¡\"'"
_PAUSES = {**dict.fromkeys("–—-―|/•→、", ","), "。": ".", "›": "»"}
_MAX_MARKS = 4  # that one word keeps; a thousand exclamation marks sound like one


def to_words(text: Traced, language: str, lexicon: Lexicon = NO_LEXICON) -> tuple[Word, ...]:
    """The words to say, with the characters that each stands for.

    French and English only; of other languages the engines read numbers and signs themselves.
    """
    return Reading(text, LANGUAGES.get(primary_language(language)), lexicon).words()


class Reading:
    """One text being read, from its first character to its last."""

    def __init__(self, text: Traced, language: Language | None, lexicon: Lexicon) -> None:
        self._traced = text
        self._text = text.text
        self._language = language
        self._lexicon = lexicon
        self._words: list[Word] = []  # their spans are in characters of `text`
        self._marks = 0  # of the last word
        self._opening = ""  # marks that have no word yet
        self._elision = ""  # `l'`, nor has this
        self._opening_start = 0

    def words(self) -> tuple[Word, ...]:
        """All its words."""
        position = 0
        while position < len(self._text):
            space = _SPACE.match(self._text, position)
            position = space.end() if space else self._read(position)
        return tuple(self._trace(word) for word in self._words)

    def _read(self, position: int) -> int:
        """Takes what stands there, and returns where the next begins."""
        known = self._lexicon.find(self._text, position)
        if known:
            entry, end = known
            self._say([entry.said] if entry.ipa else entry.said.split(), position, end, entry.ipa)
            return end
        if self._language is None:
            return self._read_plain(_UNREAD_WORD, position)
        return self._read_by_rules(self._language, position) or self._read_plain(_WORD, position)

    def _read_by_rules(self, language: Language, position: int) -> int:
        for rule in language.rules_for(self._text[position]):
            match = rule.pattern.match(self._text, position)
            said = rule.say(match) if match else None
            if match and said is not None and match.end() > position:
                words = said.split()
                ending = _NEXT_SENTENCE if rule.may_end_sentence else _END
                if words and match[0].endswith(".") and ending.match(self._text, match.end()):
                    words[-1] = words[-1].rstrip(".") + "."
                self._say(words, position, match.end(), known_ipa=language.ipa)
                return match.end()
        elision = language.elision and language.elision.match(self._text, position)
        if not elision:
            return 0
        self._begin_word(position)
        self._elision += elision[0].replace("’", "'")
        return elision.end()

    def _read_plain(self, pattern: re.Pattern[str], position: int) -> int:
        match = pattern.match(self._text, position)
        if not match or not any(unicodedata.category(character)[0] in "LNS" for character in match[0]):
            self._read_mark(self._text[position], position)
            return match.end() if match else position + 1
        word = unicodedata.normalize("NFC", match[0]).replace("’", "'")
        self._say([word], position, match.end())
        return match.end()

    def _read_mark(self, mark: str, position: int) -> None:
        """Marks belong to the word before them or after them; signs that no rule says are silent."""
        before, after = self._text[max(0, position - 1) : position], self._text[position + 1 : position + 2]
        is_opening = mark in _OPENING and (mark not in _CLOSING or _opens(before, after))
        if is_opening:
            self._open(mark, position)
        elif mark in _CLOSING:
            self._close(mark, position)
        elif mark in _PAUSES and (mark not in "-/|" or before.isspace()) and not self._pauses():
            self._close(_PAUSES[mark], position)

    def _say(
        self,
        words: Sequence[str],
        start: int,
        end: int,
        ipa: str = "",
        known_ipa: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        if not words:
            return
        self._begin_word(start)
        start = self._opening_start
        for text in words:
            said = self._opening + self._elision + text
            self._words.append(Word(said, start, end, ipa or known_ipa.get(text.rstrip(".,"), "")))
            self._opening = self._elision = ""
        self._marks = 0

    def _begin_word(self, position: int) -> None:
        if not self._opening and not self._elision:
            self._opening_start = position

    def _open(self, mark: str, position: int) -> None:
        self._begin_word(position)
        if len(self._opening) < _MAX_MARKS:
            self._opening += mark

    def _close(self, mark: str, position: int) -> None:
        if self._opening or self._elision:
            self._opening = self._elision = ""  # brackets around nothing
        elif self._words and self._marks < _MAX_MARKS:
            last = self._words[-1]
            self._words[-1] = replace(last, text=last.text + mark, end=position + 1)
            self._marks += 1

    def _pauses(self) -> bool:
        """Whether the last word has a mark already at which one pauses."""
        return not self._words or last_mark(self._words[-1].text) != ""

    def _trace(self, word: Word) -> Word:
        start, end = self._traced.span(word.start, word.end)
        return replace(word, start=start, end=end)


def _opens(before: str, after: str) -> bool:
    """Whether a straight quote between these two is an opening one."""
    if before.isalnum() or (before and before in _CLOSING and before not in _OPENING):
        return False
    return after != "" and not after.isspace() and after not in _CLOSING
