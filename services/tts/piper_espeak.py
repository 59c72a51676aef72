"""The phonemes that Piper's voices were trained on, from the espeak-ng that its package carries.

Piper asks for them in the same way, but sets the voice anew each time, and each time espeak-ng keeps 1.4 kB for ever. A
mouth that speaks for months must not.
"""

import re
import threading
import unicodedata
from collections.abc import Callable
from functools import partial

from piper import espeakbridge
from piper.config import PhonemeType
from piper.voice import PiperVoice

_LANGUAGE_SWITCH = re.compile(r"\([^)]{1,20}\)")  # `(en)weekend(fr)`: a word of another language
_PAUSES = (",", ":", ";")


class _Espeak:
    """One for the process, as the library has one voice at a time. Several threads may use it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._voice = ""

    def phonemize_by(self, piper: PiperVoice, text: str) -> list[list[str]]:
        """As Piper does it, which changes the library's voice."""
        with self._lock:
            self._voice = ""
            return piper.phonemize(text)

    def phonemize(self, voice: str, text: str) -> list[list[str]]:
        """The text's sentences, each as its phonemes and marks. Piper has opened the library before."""
        with self._lock:
            if voice != self._voice:
                espeakbridge.set_voice(voice)
                self._voice = voice
            clauses = espeakbridge.get_phonemes(text)
        sentences: list[list[str]] = [[]]
        for sounds, mark, ends_sentence in clauses:
            gap = " " if mark in _PAUSES else ""
            sentences[-1] += unicodedata.normalize("NFD", _LANGUAGE_SWITCH.sub("", sounds) + mark + gap)
            if ends_sentence:
                sentences.append([])
        return [sentence for sentence in sentences if sentence]


_ESPEAK = _Espeak()


def phonemizer_of(piper: PiperVoice) -> Callable[[str], list[list[str]]]:
    """Turns a text into sentences of phonemes, as this voice wants them."""
    # Opens the library: only Piper itself may, for it does so without asking, and opened twice it reads freed memory.
    _ESPEAK.phonemize_by(piper, "")
    config = piper.config
    # Arabic text is given its vowels first, and clusters are joined after: Piper itself does these.
    is_plain = config.phoneme_type == PhonemeType.ESPEAK and config.espeak_voice != "ar" and not config.vowel_clusters
    return partial(_ESPEAK.phonemize, config.espeak_voice) if is_plain else partial(_ESPEAK.phonemize_by, piper)
