"""Words as they sound: without case, punctuation and typography, so that two writings of the same speech are equal."""

import re
import unicodedata

_APOSTROPHES = str.maketrans("\u2018\u2019\u02bc", "'''")
# Before an apostrophe these are words of their own, in French; "aujourd'hui", "quelqu'un" and "don't" are one.
_ELIDED = r"(?:[cdjlmnsty]|(?:jus|lors|puis|quoi)?qu)'"
_WORD = re.compile(rf"{_ELIDED}|[^\W_]+(?:'[^\W_]+)*")
# What recognisers write that nobody said: "[Musique]", "(rires)", "*tousse*", "♪ la la ♪". A transcript that is not
# whole yet may lack the closing sign.
_NOISE = re.compile(r"\[[^\]]*(?:\]|$)|\([^)]*(?:\)|$)|\*(?=\S)[^*]*(?:\*|$)|[♪♫♩♬][^♪♫♩♬]*(?:[♪♫♩♬]|$)")


def words_of(text: str) -> list[str]:
    """`D’accord !` → `d'`, `accord`; `mm-hm` → `mm`, `hm`."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return _WORD.findall(folded.translate(_APOSTROPHES))


def is_same_speech(text: str, other: str) -> bool:
    """Whether both are the same words."""
    return words_of(text) == words_of(other)


def words_heard(transcript: str) -> list[str]:
    """The words of a transcript, without what recognisers write for noise."""
    return words_of(_NOISE.sub(" ", transcript))
