"""Divides phrases that would take too long to say.

Pieces are bounded by what is written, but what is said of `999 999 999 999` is ten times as long, and it is made at
once: whoever stops listening would have minutes made for him, and others would wait for them.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import accumulate, pairwise
from math import ceil

from services.tts.engine import Word
from services.tts.phrases import Phrase

# In characters of what is said, of which people say 15 to 25 a second. Prose of 240 characters, the longest piece,
# comes to about 310 and stays whole.
_MOST = 330
_PER_WORD, _PER_MARK = 2, 5  # that it takes to begin a word, and to pause after a mark


def in_breaths(phrase: Phrase, speed: float) -> Iterator[Phrase]:
    """The phrase, in parts that at this speed take about 20 seconds each at most: a single word is not divided.

    Parts end at a mark or at least between what was written apart, where there is such a place; no pause is between
    them. Their characters are those that their words have in the whole phrase.
    """
    words = phrase.words
    for first, end in pairwise([0, *_ends(words, _MOST * min(1.0, speed))]):
        is_last = end == len(words)
        yield replace(
            phrase,
            words=words[first:end],
            start=words[first].start if first else phrase.start,
            end=phrase.end if is_last else max(words[end - 1].end, words[end].start),
            pause_ms=phrase.pause_ms if is_last else 0,
            asked_ms=phrase.asked_ms if is_last else 0,
        )


def _ends(words: Sequence[Word], most: float) -> Iterator[int]:
    """Behind which words the parts end."""
    said = [0, *accumulate(_PER_WORD + len(word.text) + _PER_MARK * _ends_with_mark(word) for word in words)]
    first = 0
    while (rest := said[-1] - said[first]) > most and first + 1 < len(words):
        last = max(first + 1, bisect_right(said, said[first] + most) - 1)
        ideal = said[first] + rest / ceil(rest / most)
        least = said[first] + most / 2
        first = max(range(first + 1, last + 1), key=partial(_goodness, words, said, least, ideal))
        yield first
    yield len(words)


def _goodness(words: Sequence[Word], said: Sequence[int], least: float, ideal: float, end: int) -> tuple[int, float]:
    """How good an end of a part the place before this word is: the higher the better."""
    is_apart = words[end - 1].end <= words[end].start
    rank = (is_apart + (is_apart and _ends_with_mark(words[end - 1]))) if said[end] >= least else -1
    return rank, -abs(said[end] - ideal)


def _ends_with_mark(word: Word) -> bool:
    return not word.text[-1].isalnum()
