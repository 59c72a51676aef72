"""When each phoneme that a Piper voice was given begins in its audio."""

import unicodedata
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from services.tts.alignment import voiced_part

# How long phonemes are to each other, roughly, in French and English; stress marks and the like take no time.
_VOWEL, _CONSONANT, _LENGTH_MARK, _GAP, _PAUSE = 1.2, 1.0, 0.6, 0.2, 3.0
_VOWELS = frozenset("aeiouyæøœɐɑɒɔɘəɚɛɜɝɞɤɨɪɯɵɶʉʊʌʏᵻ")
_LETTERS = frozenset({"Ll", "Lu", "Lo"})  # not those that only change the one before them
_OTHERS = {"ː": _LENGTH_MARK, " ": _GAP} | dict.fromkeys(",;:.?!", _PAUSE)


def exact_edges(id_counts: Sequence[int], durations: NDArray[np.int64], samples: int) -> list[int] | None:
    """By the durations that the voice tells, one an id: begin and pad, each phoneme's and a pad, end.

    None where they cannot be those of this audio.
    """
    if durations.sum() != samples or durations.size != sum(id_counts) + len(id_counts) + 3:
        return None
    behind = np.cumsum([0, *durations.tolist()])
    firsts = np.cumsum([2, *(count + 1 for count in id_counts)])
    edges: list[int] = behind[firsts].tolist()
    return edges


def estimated_edges(phonemes: Sequence[str], audio: NDArray[np.float32]) -> list[int]:
    """By how long phonemes mostly are, over what is not silent."""
    first, end = voiced_part(audio)
    weights = [_weight(phoneme) for phoneme in phonemes]
    while weights and phonemes[len(weights) - 1] in _OTHERS:
        weights[-1:] = []  # the pause at the end is silence
    shares = np.cumsum([0.0, *weights, *[0.0] * (len(phonemes) - len(weights))])
    edges: list[int] = (first + shares / max(shares[-1], 1.0) * (end - first)).astype(int).tolist()
    return edges


def _weight(phoneme: str) -> float:
    if phoneme in _OTHERS:
        return _OTHERS[phoneme]
    if unicodedata.category(phoneme[0]) not in _LETTERS:
        return 0.0
    return _VOWEL if phoneme in _VOWELS else _CONSONANT
