"""A waveform and a length for each phoneme of Piper's usual alphabet: near to it where that is cheap."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Wave = NDArray[np.float32]

FRAME_SAMPLES = 256  # Piper calls it the hop
FRAMES = 4  # of a waveform, which goes on from its begin where the phoneme is longer
_SAMPLES = FRAMES * FRAME_SAMPLES
_FRAME_MS = 11.6  # at 22 050 Hz

_FORMANTS = {  # of vowels and of what sounds like one, in Hz
    "a": (750, 1300, 2500), "ɑ": (700, 1100, 2500), "æ": (700, 1700, 2500), "ɐ": (650, 1300, 2500),
    "e": (400, 2200, 2800), "ɛ": (550, 1900, 2600), "ə": (500, 1450, 2500), "ɚ": (480, 1350, 1700),
    "ɜ": (520, 1350, 2400), "i": (280, 2300, 3000), "ɪ": (380, 2000, 2700), "ᵻ": (380, 1800, 2600),
    "o": (400, 800, 2500), "ɔ": (550, 950, 2500), "ʌ": (620, 1200, 2500), "ɒ": (620, 950, 2500),
    "u": (300, 750, 2400), "ʊ": (400, 950, 2400), "y": (280, 1800, 2200), "ʏ": (350, 1700, 2200),
    "ø": (400, 1550, 2300), "œ": (550, 1450, 2300), "j": (270, 2200, 2900), "w": (290, 700, 2300),
    "ɥ": (270, 1750, 2200), "l": (350, 1200, 2700), "ɫ": (400, 900, 2700), "r": (450, 1300, 1900),
    "ɹ": (350, 1200, 1700), "ɾ": (400, 1500, 2400), "m": (250, 1000, 2200), "n": (250, 1500, 2500),
    "ɲ": (250, 2000, 2800), "ŋ": (250, 1200, 2300), "ː": (450, 1450, 2500), "̃": (300, 1100, 2300),
}  # fmt: skip
_HISSES = {  # where the noise of fricatives and bursts is loudest, in Hz
    "s": 6000, "z": 6000, "ʃ": 3200, "ʒ": 3200, "f": 4500, "v": 4500, "θ": 5000, "ð": 5000, "h": 1500, "x": 1700,
    "ç": 3500, "ʁ": 1300, "χ": 1500, "ɣ": 1400, "β": 1800, "t": 4000, "d": 3500, "k": 2000, "g": 1800, "ɡ": 1800,
    "p": 900, "b": 800, "c": 2800, "ɟ": 2600, "q": 1500, "ʔ": 500,
}  # fmt: skip
_STOPS = frozenset("pbtdkgɡcɟqʔ")
_VOICED = frozenset("zʒvðʁɣβbdgɡɟ")
_VOWELS = frozenset("aɑæɐeɛəɚɜiɪᵻoɔʌɒuʊyʏøœ")
# Frames of what is no letter. Marks of stress take none, and neither does the pad between two phonemes.
_LENGTHS = {"^": 5, "$": 10, " ": 2, ",": 12, ";": 12, ":": 12, ".": 20, "!": 20, "?": 20, "ː": 4, "̃": 2, "-": 1}
_LETTERS = frozenset({"Ll", "Lu", "Lo"})  # not those that only change the one before them
_VOWEL_FRAMES, _CONSONANT_FRAMES = 8, 6
_VOWEL_LEVEL, _HISS_LEVEL, _FAINT = 0.25, 0.08, 0.12


@dataclass(frozen=True)
class Throat:
    """What makes two speakers sound unlike."""

    pitch_periods: int = 6  # in one waveform, so that it goes on without a seam: 129 Hz
    formants: float = 1.0  # a factor: a shorter throat has higher ones


MAN, WOMAN = Throat(), Throat(pitch_periods=10, formants=1.16)


def frames_of(phoneme: str) -> int:
    """How long it is by itself."""
    if phoneme in _LENGTHS:
        return _LENGTHS[phoneme]
    if phoneme[:1] in _VOWELS:
        return _VOWEL_FRAMES
    return _CONSONANT_FRAMES if phoneme[:1] in _FORMANTS or phoneme[:1] in _HISSES else _other_frames(phoneme)


def waves(id_map: Mapping[str, list[int]], throat: Throat, rate_hz: int) -> Wave:
    """The waveforms of all ids, one a row."""
    table = np.zeros((1 + max(ids[0] for ids in id_map.values()), _SAMPLES), np.float32)
    for phoneme, ids in id_map.items():
        table[ids[0]] = _wave(phoneme, throat, rate_hz)
    return table


def _other_frames(phoneme: str) -> int:
    return _CONSONANT_FRAMES if unicodedata.category(phoneme) in _LETTERS else 0


def _wave(phoneme: str, throat: Throat, rate_hz: int) -> Wave:
    letter = phoneme[:1]
    if not frames_of(phoneme) or letter in "^$ ,;:.!?-":
        return np.zeros(_SAMPLES, np.float32)
    if letter not in _HISSES:
        return _VOWEL_LEVEL * _voice(_FORMANTS.get(letter, _FORMANTS["ə"]), throat, rate_hz)
    wave = _HISS_LEVEL * _hiss(_HISSES[letter], rate_hz, seed=ord(letter))
    if letter in _VOICED:
        wave = wave + _FAINT * _voice(_FORMANTS["ə"], throat, rate_hz)
    if letter in _STOPS:
        wave = wave * np.repeat(np.array([0, 0.1, 1, 0.4]), FRAME_SAMPLES)  # closed, then burst open
    return np.asarray(wave, np.float32)


def _voice(formants: tuple[int, ...], throat: Throat, rate_hz: int) -> Wave:
    """The overtones of a voice, loud where the throat resounds. Sines, so that it begins and ends at zero."""
    time = np.arange(_SAMPLES) / _SAMPLES
    pitch_hz = throat.pitch_periods * rate_hz / _SAMPLES
    wave = np.zeros(_SAMPLES)
    for overtone in range(1, int(4000 / pitch_hz)):
        resonance = sum(np.exp(-(((overtone * pitch_hz - peak * throat.formants) / 120) ** 2)) for peak in formants)
        wave += (0.1 / overtone + resonance) * np.sin(2 * np.pi * overtone * throat.pitch_periods * time)
    return np.asarray(wave / np.abs(wave).max(), np.float32)


def _hiss(center_hz: float, rate_hz: int, seed: int) -> Wave:
    """Noise around a frequency that goes on from its end to its begin."""
    noise = np.fft.rfft(np.random.default_rng(seed).standard_normal(_SAMPLES))
    frequencies = np.fft.rfftfreq(_SAMPLES, 1 / rate_hz)
    wave = np.fft.irfft(noise * np.exp(-(((frequencies - center_hz) / (0.3 * center_hz)) ** 2)))
    return np.asarray(wave / np.abs(wave).max(), np.float32)
