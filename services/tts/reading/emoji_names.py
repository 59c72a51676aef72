"""Emoji, said by name or left out, and the invisible characters that hold them and other text together."""

import re
from collections.abc import Iterator

import emoji

from services.common.text import primary_language
from services.tts.reading.traced import Traced

_LONGEST = max(map(len, emoji.EMOJI_DATA))
_FIRST = re.compile(f"[{re.escape(''.join({found[0] for found in emoji.EMOJI_DATA}))}]")
_KEYCAP = "\u20e3"
_SKIN_TONES = re.compile("[\U0001f3fb-\U0001f3ff]")
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u20e3\ufe00-\ufe0f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e0fff]+"  # soft hyphens, joiners, directions, variation selectors, tags
)


class EmojiReader:
    """Puts the names of emoji into a text, or leaves them out; a sequence of characters is one emoji, as it is seen."""

    def __init__(self, language: str, *, is_named: bool) -> None:
        """The names are English where the library has none in the language."""
        primary = primary_language(language)
        self._language = primary if primary in emoji.LANGUAGES else "en"
        self._is_named = is_named
        if is_named:
            emoji.config.load_language(self._language)

    def read(self, text: Traced) -> Traced:
        """The text with names or spaces in the place of emoji, and without what cannot be seen."""
        if text.text.isascii():
            return text
        return _without_invisible(Traced.join(self._read_emoji(text)))

    def _read_emoji(self, text: Traced) -> Iterator[Traced]:
        done, last = 0, ""
        for start, end in _find_emoji(text.text):
            yield text.part(done, start)
            found = text.part(start, end)
            yield self._say(found, is_repeated=start == done and found.text == last)  # a row of one is said once
            done, last = end, found.text
        yield text.part(done, len(text.text))

    def _say(self, found: Traced, *, is_repeated: bool) -> Traced:
        if found.text.endswith(_KEYCAP) and found.text[0].isdigit():
            return found.part(0, 1)  # many a list is numbered with keycaps
        name = f" {self._name(found.text)} " if self._is_named and not is_repeated else " "
        last = len(found.sources) - 1
        return Traced(name, tuple(found.sources[index * last // len(name)] for index in range(len(name))))

    def _name(self, found: str) -> str:
        """Its name, without the colour of the skin."""
        names = emoji.EMOJI_DATA.get(_SKIN_TONES.sub("", found)) or emoji.EMOJI_DATA.get(found) or {}
        name = names.get(self._language) or names.get("en") or ""
        return str(name).strip(":").replace("_", " ")


def _find_emoji(text: str) -> Iterator[tuple[int, int]]:
    """Where they are, the longest sequences that are known. The library's own search is quadratic in joined ones."""
    done = 0
    for first in _FIRST.finditer(text):
        start = first.start()
        if start < done:
            continue
        lengths = (length for length in range(_LONGEST, 0, -1) if text[start : start + length] in emoji.EMOJI_DATA)
        done = start + next(lengths, 0)
        if done > start:
            yield start, done


def _without_invisible(text: Traced) -> Traced:
    parts, done = [], 0
    for match in _INVISIBLE.finditer(text.text):
        parts.append(text.part(done, match.start()))
        done = match.end()
    return Traced.join([*parts, text.part(done, len(text.text))])
