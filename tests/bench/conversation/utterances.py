"""What is said into replies: by people, by espeak-ng, and what nobody says. Each with the moment of its first sound."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from services.common.audio import Samples
from tests.bench.voice_activity import clicks
from tests.support import rooms
from tests.support.closed_whisper import SENTENCES, said
from tests.support.conversing import RATE_HZ
from tests.support.rooms import Clip, Wave

_LEAD_S = 1.0  # of its room before the first sound: noise that begins as suddenly as speech would be heard as such
_QUIET_SAMPLES, _QUIET_ROOM = RATE_HZ // 10, rooms.LEVEL / 100  # 40 dB below the speech
# French: none was taught to the made Whisper (scripts/closed_whisper/voices.py). Women and men, slower and faster.
_FRENCH_VOICES = ("roa/fr+f5", "roa/fr-BE+m3", "roa/fr+Michael", "roa/fr-BE+linda", "roa/fr+Hugo", "roa/fr-BE+victor")
_ENGLISH_VOICES = ("gmw/en-US+f2", "gmw/en-US", "gmw/en+m3")
_ENGLISH_BACKCHANNELS = ("okay", "yes", "yeah", "right")
_SPEEDS = (0.9, 1.0, 1.15)
_LEVELS = {"noise of a house": rooms.LEVEL, "coffee shop, voices 10 dB below speech": rooms.LEVEL * 10**-0.5}
_NOISE_FILES = {"noise of a house": "background_noise", "coffee shop, voices 10 dB below speech": "coffee-shop"}
_OF_EACH_NOISE = 10


@dataclass(frozen=True, eq=False)
class Utterance:
    """A sound, `onset_s` after the beginning of its samples. `words` where it is known what is said."""

    kind: str
    samples: Samples
    onset_s: float
    words: str = ""


def synthesized(text: str, language: str, number: int = 0, kind: str = "espeak-ng, fr") -> Utterance:
    """In one of the voices, in a quiet room."""
    voices = _FRENCH_VOICES if language == "fr" else _ENGLISH_VOICES
    recording = said(text, language, voices[number % len(voices)], _SPEEDS[number % len(_SPEEDS)]).recording
    wave = recording.samples.astype(np.float64)
    wave *= rooms.LEVEL / rooms.rms(wave)
    room = np.random.default_rng(number).standard_normal(wave.size + 2 * _QUIET_SAMPLES) * _QUIET_ROOM
    room[_QUIET_SAMPLES:-_QUIET_SAMPLES] += wave
    return _of_clip(kind, Clip(text, room, _QUIET_SAMPLES, _QUIET_SAMPLES + wave.size), text)


@cache
def synthesized_sentences() -> list[Utterance]:
    """The sentences that the made Whisper knows, in voices that it does not; none is a backchannel."""
    texts = [text for text, language in SENTENCES if language == "fr" and text != "oui"]
    return [synthesized(text, "fr", number) for number, text in enumerate(texts)]


def commands(shared: Path, language: str) -> list[Utterance]:
    """People saying home commands."""
    kind = f"people, {language}"
    return [_of_clip(kind, clip, clip.name.partition("/")[2]) for clip in rooms.commands(shared, language)]


@cache
def backchannels(language: str) -> list[Utterance]:
    """What listeners say, as far as there are ears that know it, by espeak-ng."""
    texts = ("oui",) if language == "fr" else _ENGLISH_BACKCHANNELS
    voices = _FRENCH_VOICES if language == "fr" else _ENGLISH_VOICES
    return [synthesized(text, language, number, f"“{text}”") for text in texts for number, _ in enumerate(voices)]


def noises(shared: Path) -> list[Utterance]:
    """What nobody says: recorded, and made."""
    found = []
    for seed in range(_OF_EACH_NOISE):
        random = np.random.default_rng(seed)
        for kind, name in _NOISE_FILES.items():
            found.append(_of_wave(kind, _piece(rooms.read(shared / "noise" / f"{name}.wav"), kind, random)))
        found.append(_of_wave("cough", _cough(random)))
        found.append(_of_wave("hummed “mm-hm”", _hum(random)))
        found.append(_of_wave("door", _door(random)))
        found.append(_of_wave("keys and plates", clicks(2 * RATE_HZ, random)))
    return found


def _of_clip(kind: str, clip: Clip, words: str) -> Utterance:
    """From a little before its first sound to its last one, as loud as all."""
    quiet = rooms.levelled(rooms.with_silence(clip, _LEAD_S, 0.0))
    lead = round(_LEAD_S * RATE_HZ)
    return Utterance(kind, rooms.pcm(quiet.wave[quiet.onset - lead : quiet.end]), _LEAD_S, words)


def _of_wave(kind: str, wave: Wave) -> Utterance:
    return Utterance(kind, rooms.pcm(wave), 0.0)


def _piece(noise: Wave, kind: str, random: np.random.Generator) -> Wave:
    """A second and a half of it, from anywhere."""
    begin = int(random.integers(noise.size))
    piece = np.take(noise, np.arange(begin, begin + round(1.5 * RATE_HZ)), mode="wrap")
    return np.asarray(piece * _LEVELS[kind] / rooms.rms(noise), np.float64)


def _cough(random: np.random.Generator) -> Wave:
    """Two bursts of hiss, the second one softer."""
    wave = np.zeros(RATE_HZ * 7 // 10)
    for begin_s, loudness in ((0.0, 9000.0), (0.32, 5000.0)):
        begin, size = round(begin_s * RATE_HZ), round(random.uniform(0.15, 0.25) * RATE_HZ)
        hiss = np.convolve(random.standard_normal(size), [0.25, 0.5, 0.25], "same")
        wave[begin : begin + size] += hiss * loudness * np.exp(-np.arange(size) / (0.05 * RATE_HZ))
    return wave


def _hum(random: np.random.Generator) -> Wave:
    """A closed mouth, twice, the second time higher: a tone whose overtones fade soon."""
    first_hz = random.uniform(100, 220)
    tones = [_tone(first_hz, 0.18), np.zeros(RATE_HZ // 20), _tone(first_hz * 1.2, 0.26)]
    wave = np.concatenate(tones)
    return np.asarray(wave * rooms.LEVEL / rooms.rms(wave), np.float64)


def _tone(hertz: float, seconds: float) -> Wave:
    times = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    overtones: Sequence[Wave] = [np.sin(2 * np.pi * hertz * n * times) / n**2 for n in range(1, 9)]
    return np.asarray(np.sum(overtones, axis=0) * np.hanning(times.size), np.float64)


def _door(random: np.random.Generator) -> Wave:
    """A thump, and the latch."""
    times = np.arange(RATE_HZ // 2) / RATE_HZ
    thump = 12000 * np.sin(2 * np.pi * random.uniform(60, 110) * times) * np.exp(-times / 0.08)
    latch = random.standard_normal(times.size) * 4000 * np.exp(-times / 0.01)
    return np.asarray(thump + latch, np.float64)
