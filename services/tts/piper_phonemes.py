"""Words as the phonemes that a Piper voice is given, each with the word that it is of."""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from itertools import accumulate, pairwise

import numpy as np

from services.tts.engine import Word

# Piper has died of a whole book in one call, and whoever leaves waits for it. This is about 25 s of speech.
_MOST_PHONEMES = 300
_MOST_WORDS = 40  # that are turned into phonemes at a time
_WORDS_KEPT = 4096
_UNREAD = str.maketrans("[]\0", "   ")  # [[…]] is for phonemes, and a zero would end the text
# espeak-ng makes a pause at one and writes nothing for it, not even the gap between two words. With the mark behind it.
_ELLIPSIS = re.compile(r"(?:…|\.\.)[….]*\s*([,;:?!])?")
_ENDS = ".?!"
_PAUSES = ",;:"
_GAP = " "
_NEAR = 2  # phonemes; a liaison moves no word further

Phonemize = Callable[[str], list[list[str]]]  # a text as its sentences
_Sounds = list[tuple[str, int]]


@dataclass(frozen=True)
class Sentence:
    """What a voice says at a time."""

    phonemes: tuple[str, ...]
    words: tuple[int, ...]  # which word each of them is of


class Phonemizer:
    """Turns words into phonemes; several threads may use it."""

    def __init__(self, phonemize: Phonemize, known: Collection[str]) -> None:
        """`known` are the phonemes that the voice has."""
        self._phonemize = phonemize
        self._known = known
        self._alone = lru_cache(_WORDS_KEPT)(self._say_alone)

    def sentences(self, words: Sequence[Word], length_scale: float = 1.0) -> Iterator[Sentence]:
        """The words, sentence by sentence, none too long for a voice that says all so many times as slowly."""
        most = max(1, int(_MOST_PHONEMES / max(1.0, length_scale)))
        sounds: _Sounds = []
        texts = [_readable(word.text, ",") for word in words[:-1]] + [_readable(word.text, ".") for word in words[-1:]]
        for first, run in _runs(words):
            for number, said in enumerate(self._say(run, texts[first : first + len(run)])):
                if sounds and (number or sounds[-1][0] in _ENDS):
                    yield from _bounded(sounds, most)
                    sounds = []
                elif sounds and sounds[-1][0] != _GAP:
                    sounds.append((_GAP, sounds[-1][1]))
                sounds += [(phoneme, first + word) for phoneme, word in said if phoneme in self._known]
        if sounds:
            yield from _bounded(sounds, most)

    def _say(self, run: Sequence[Word], texts: Sequence[str]) -> list[_Sounds]:
        """Its sentences, each phoneme with the number of its word in the run."""
        if run[0].ipa:
            return [[(phoneme, 0) for phoneme in _as_written(run[0].ipa, texts[0])]]
        sentences = self._phonemize(_GAP.join(texts))
        said = [phoneme for sentence in sentences for phoneme in sentence if phoneme != _GAP]
        begins = _group_begins(sentences)
        if len(begins) != len(run):  # espeak-ng says `of the` as one, and `C++` as three
            begins = _begins_by_likeness([self._alone(text) for text in texts], said, begins)
        owners = np.searchsorted(begins, np.arange(len(said)), side="right") - 1
        return _with_owners(sentences, np.maximum(owners, 0).tolist())

    def _say_alone(self, text: str) -> list[str]:
        return [phoneme for sentence in self._phonemize(text) for phoneme in sentence if phoneme != _GAP]


def _runs(words: Sequence[Word]) -> Iterator[tuple[int, Sequence[Word]]]:
    """Words that are turned into phonemes together, and the number of the first. One with IPA stands alone."""
    cuts = [0]
    for index in range(1, len(words)):
        if words[index].ipa or words[index - 1].ipa or index - cuts[-1] >= _MOST_WORDS:
            cuts.append(index)
    for start, end in pairwise([*cuts, len(words)]):
        if start < end:
            yield start, words[start:end]


def _readable(text: str, ellipsis: str) -> str:
    """What espeak-ng is to read for the text of a word."""
    plain = text.translate(_UNREAD).encode(errors="replace").decode()
    return _ELLIPSIS.sub(lambda match: match[1] or ellipsis, plain)


def _as_written(ipa: str, text: str) -> list[str]:
    """The phonemes that somebody wrote for a word, and the mark behind it."""
    marks = [text[-1]] if text[-1] in _ENDS + _PAUSES else []
    return [*unicodedata.normalize("NFD", ipa), *marks]


def _group_begins(sentences: Sequence[Sequence[str]]) -> list[int]:
    """Where, counted without the gaps, a phoneme follows a gap or begins a sentence."""
    begins, count = [], 0
    for sentence in sentences:
        for before, phoneme in pairwise([_GAP, *sentence]):
            if phoneme != _GAP:
                if before == _GAP:
                    begins.append(count)
                count += 1
    return begins


def _begins_by_likeness(alone: Sequence[Sequence[str]], said: Sequence[str], groups: Sequence[int]) -> list[int]:
    """Where each word begins in what was said, by how the words sound alone; mostly where a group begins."""
    single = [phoneme for word in alone for phoneme in word]
    edges = [0, *accumulate(len(word) for word in alone)]
    here, there = [0], [0]
    for block in SequenceMatcher(None, single, said, autojunk=False).get_matching_blocks():
        here += [block.a, block.a + block.size]
        there += [block.b, block.b + block.size]
    guesses = np.interp(edges[:-1], [*here, len(single)], [*there, len(said)])
    begins = [0]
    for guess in guesses[1:]:
        near = min(groups, key=lambda begin: abs(begin - guess), default=0)
        fits = near > begins[-1] and abs(near - guess) <= _NEAR
        begins.append(near if fits else max(begins[-1], round(guess)))
    return begins


def _with_owners(sentences: Sequence[Sequence[str]], owners: Sequence[int]) -> list[_Sounds]:
    """Each phoneme with its word; a gap is of the word before it."""
    left = iter(owners)
    owner = 0
    result: list[_Sounds] = []
    for sentence in sentences:
        sounds: _Sounds = []
        for phoneme in sentence:
            if phoneme != _GAP:
                owner = next(left)
            sounds.append((phoneme, owner))
        if sounds:
            result.append(sounds)
    return result


def _bounded(sounds: _Sounds, most: int) -> Iterator[Sentence]:
    """The sentence, cut between words where it is too long."""
    while sounds:
        end = len(sounds)
        if end > most:
            gaps = [index + 1 for index in range(most) if sounds[index][0] == _GAP]
            end = gaps[-1] if gaps else most
        phonemes, words = zip(*sounds[:end], strict=True)
        yield Sentence(phonemes, words)
        sounds = sounds[end:]
