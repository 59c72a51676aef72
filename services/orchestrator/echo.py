"""The assistant must not answer itself: what the microphone heard of the loudspeaker is taken out of a transcript.

Recognisers mishear, cut words in two, join them, and write numbers in their own way. So the words heard are laid along
the words played, where they fit best (a local alignment, as Smith and Waterman's of genes). What has no counterpart
there, and is no mishearing of what was played next to it, is the user's.

Text alone cannot tell an echo from an answer in the same words, "Paris" to "… à Paris ou à Lyon ?". But where only one
or two words were echoed, they are of those played last: the loudspeaker falls silent as soon as somebody seems to
speak. So one or two words from further back are an answer. Those of the last moment are an echo, even "stop" after
"dis stop": an assistant that interrupts itself is worse than one that must be told a word twice.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import accumulate, pairwise

import numpy as np
import numpy.typing as npt
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist

from services.orchestrator.words import words_of

_MOST_WORDS = 600  # of either: four minutes of speech; it bounds the work
_FEW_WORDS = 2
_PLAYED_LAST = 6  # words: about what is played until a sound is noticed, and until it is told what was heard
_SHORT = 4  # letters: in so short a word alone, a wrong letter makes another word, "non" of "nom"
_ENOUGH_WORDS, _ENOUGH_LETTERS = 4, 15  # less of an echo, beside words of the user's, may be theirs as well
_ALIKE = 0.5  # if more of two writings is the same, one is a mishearing of the other
_ALIKE_ALONE = 0.6
_BESIDE = 4  # words next to an echo that may be misheard; longer mishearings have words that are not
_LETTERS_A_DIGIT = 10  # "90 €" is "quatre-vingt-dix euros"

# The alignment's points are letters: what two words are worth that are laid along each other, and what is passed over.
# They are multiples of a quarter, whose sums are exact, so that the way to a sum can be found again by comparing.
_WRONG_LETTER = 2.5  # two wrong ones of five, and the words have nothing in common
_MISHEARD = -0.25
_NOT_PLAYED = -0.5
_NOT_HEARD = -0.25

_Points = npt.NDArray[np.float32]


class _Origin(Enum):
    ECHO = "echo"
    UNCLEAR = "unclear"  # it stands where something else was played
    USER = "user"


@dataclass(frozen=True)
class _Word:
    """A word, and where it begins in its text."""

    start: int
    letters: str  # without punctuation


def beyond_echo(heard: str, spoken: str) -> str:
    """What of `heard` is not the assistant's own words, which were being played meanwhile: all, a part, or nothing.

    `spoken` should reach from a moment before the first sound of `heard` to what is played now: the shorter the better.
    """
    said = _words(heard)
    letters, played = [word.letters for word in said], [word.letters for word in _words(spoken)[-_MOST_WORDS:]]
    if not played or len(said) > _MOST_WORDS:
        return heard
    if len(said) <= _FEW_WORDS:
        return "" if not said or _is_of(letters, played[-_PLAYED_LAST:]) else heard
    origins = _origins(letters, played)
    return heard if origins is None else _users(heard, said, origins)


def _words(text: str) -> list[_Word]:
    """What stands between spaces, where it has letters."""
    words = (_Word(token.start(), "".join(words_of(token[0])).replace("'", "")) for token in re.finditer(r"\S+", text))
    return [word for word in words if word.letters]


def _is_of(said: Sequence[str], played: Sequence[str]) -> bool:
    """Whether a word or two are of the words played, whole or cut."""
    letters = "".join(said)
    for begin in range(len(played)):
        for count, joined in enumerate(accumulate(played[begin : begin + _FEW_WORDS + 1]), start=1):
            is_alike = len(letters) > _SHORT and _likeness(letters, joined) > _ALIKE_ALONE
            is_begun = len(letters) >= _SHORT - 1 and joined.startswith(letters)
            is_ended = len(letters) >= _SHORT and joined.endswith(letters)
            if letters == joined or is_alike or (count == len(said) and (is_begun or is_ended)):
                return True
    return False


def _users(heard: str, said: Sequence[_Word], origins: Sequence[_Origin]) -> str:
    """The user's words, as they were written."""
    starts = [word.start for word in said]
    places = zip(starts, [*starts[1:], len(heard)], origins, strict=True)
    return "".join(heard[start:end] for start, end, origin in places if origin is _Origin.USER).strip()


def _origins(said: Sequence[str], played: Sequence[str]) -> list[_Origin] | None:
    """Whose each of the words is; None where too little of them was played."""
    pairs = _aligned(said, played)
    if not pairs:
        return None
    first, last = pairs[0], pairs[-1]
    before = _beside(_backwards(said[: first[0]]), _backwards(played[: first[1]]))[::-1]
    origins = [*before, _Origin.ECHO]
    for (left, left_played), (right, right_played) in pairwise(pairs):
        origins += _between(said[left + 1 : right], played[left_played + 1 : right_played])
        origins.append(_Origin.ECHO)
    origins += _beside(said[last[0] + 1 :], played[last[1] + 1 :])
    return origins if _is_enough(said, origins) else None


def _is_enough(said: Sequence[str], origins: Sequence[_Origin]) -> bool:
    echo = [word for word, origin in zip(said, origins, strict=True) if origin is _Origin.ECHO]
    letters = len("".join(echo))
    if _Origin.USER in origins and (len(echo) < _ENOUGH_WORDS or letters < _ENOUGH_LETTERS):
        return False
    unclear = sum(len(word) for word, origin in zip(said, origins, strict=True) if origin is _Origin.UNCLEAR)
    return letters >= unclear


def _between(said: Sequence[str], played: Sequence[str]) -> list[_Origin]:
    """Whose the words are that were heard in the midst of an echo, where others may have been played."""
    heard, instead = "".join(said), "".join(played)
    if _likeness(heard, instead) > _ALIKE or _has_digit(heard + instead):
        return [_Origin.ECHO] * len(said)
    is_more = len(heard) >= len(instead) + _SHORT  # more than a mishearing adds
    return [_Origin.USER if is_more else _Origin.UNCLEAR] * len(said)


def _beside(said: Sequence[str], played: Sequence[str]) -> list[_Origin]:
    """Whose the words are that follow an echo, while others followed in what was played."""
    misheard = _misheard(said[:_BESIDE], played[: 2 * _BESIDE])
    rest = said[misheard:]
    is_word = any(len(word) > 1 or word.isdigit() for word in rest)
    return [_Origin.ECHO] * misheard + [_Origin.USER if is_word else _Origin.UNCLEAR] * len(rest)


def _misheard(said: Sequence[str], played: Sequence[str]) -> int:
    """How many of the words are what was played at their place."""
    if not said or not played:
        return 0
    if _has_digit(played[0]):
        room = sum(map(str.isdigit, played[0])) * _LETTERS_A_DIGIT
        return sum(length <= room for length in accumulate(map(len, said)))
    if _has_digit(said[0]):
        return 1
    instead = "".join(played)
    for count in range(len(said), 0, -1):
        letters = "".join(said[:count])
        if _likeness(letters, instead[: len(letters)]) > _ALIKE:
            return count
    is_bit = len(said) == 1 and len(said[0]) < _SHORT - 1  # "at" of "add", "de" of "du"
    return int(is_bit and (said[0][0] == played[0][0] or said[0][-1] == played[0][-1]))


def _aligned(said: Sequence[str], played: Sequence[str]) -> list[tuple[int, int]]:
    """The words that are the same, by their numbers in both, where the two fit best."""
    points = _points(said, played)
    skip_said, passed = _lengths(said) * _NOT_PLAYED, np.cumsum(_lengths(played) * _NOT_HEARD)
    sums = np.zeros((len(said) + 1, len(played) + 1), dtype=np.float32)
    for row, (here, skip) in enumerate(zip(points, skip_said, strict=True)):
        came = np.maximum(sums[row, :-1] + here, sums[row, 1:] + skip)
        sums[row + 1, 1:] = np.maximum(np.maximum.accumulate(came - passed) + passed, 0)
    row, column = divmod(int(sums.argmax()), sums.shape[1])
    pairs = []
    while sums[row, column] > 0:
        if sums[row, column] == sums[row - 1, column - 1] + points[row - 1, column - 1]:
            row, column = row - 1, column - 1
            if points[row, column] > 0:
                pairs.append((row, column))
        elif sums[row, column] == sums[row - 1, column] + skip_said[row - 1]:
            row -= 1
        else:
            column -= 1
    return pairs[::-1]


def _points(said: Sequence[str], played: Sequence[str]) -> _Points:
    """What each word heard is worth, laid along each one played."""
    lengths = np.maximum.outer(_lengths(said), _lengths(played))
    wrong = cdist(said, played, scorer=Levenshtein.distance, dtype=np.float32)
    return np.maximum(lengths - _WRONG_LETTER * wrong, _MISHEARD * lengths)


def _lengths(words: Sequence[str]) -> _Points:
    return np.array([len(word) for word in words], dtype=np.float32)


def _likeness(one: str, other: str) -> float:
    return Levenshtein.normalized_similarity(one, other)


def _has_digit(letters: str) -> bool:
    return any(map(str.isdigit, letters))


def _backwards(words: Sequence[str]) -> list[str]:
    return [word[::-1] for word in reversed(words)]
