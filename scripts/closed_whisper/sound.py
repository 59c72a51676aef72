"""Sound as the model sees it: Whisper's mel powers, made rooms and made noises."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from faster_whisper.feature_extractor import FeatureExtractor
from numpy.typing import NDArray

from services.common.audio import Recording, resample

RATE_HZ, FRAMES_PER_S, MELS = 16_000, 100, 80
FLOOR = -10.0  # the logarithm of the least power that Whisper tells from nothing
_FFT, _HOP = 400, 160
_FILTERS = FeatureExtractor(feature_size=MELS).mel_filters
_WINDOW = np.hanning(_FFT + 1)[:-1]

Wave = NDArray[np.float32]
Samples = NDArray[np.floating[Any]]


def log_mel(wave: Wave) -> NDArray[np.float32]:
    """Logarithms of the mel powers, one column for 10 ms, before Whisper's clamp and scale."""
    padded = np.pad(wave, (_FFT // 2, _FFT // 2 + _HOP), mode="constant")
    frames = np.lib.stride_tricks.sliding_window_view(padded, _FFT)[::_HOP][: len(wave) // _HOP + 1]
    power = np.abs(np.fft.rfft(frames * _WINDOW, axis=1)) ** 2
    return _as_wave(np.log10(np.maximum(_FILTERS @ power.T, 10**FLOOR)))


def to_engine_rate(recording: Recording) -> Wave:
    """At 16 kHz, the loudest sample at one half."""
    wave = resample(recording, RATE_HZ).samples.astype(np.float32)
    loudest = max(1.0, float(np.abs(wave).max()))
    return wave * np.float32(0.5 / loudest)


def in_a_room(wave: Wave, random: np.random.Generator) -> Wave:
    """With the echo of a made room: the sound itself, then noise that dies away."""
    decay_s = random.uniform(0.03, 0.12)
    times_s = np.arange(int(RATE_HZ * 4 * decay_s)) / RATE_HZ
    tail = random.standard_normal(times_s.size) * np.exp(-times_s / decay_s)
    tail *= random.uniform(0.2, 1.0) / np.sqrt(np.sum(tail**2))
    tail[: int(RATE_HZ * 0.002)] = 0
    tail[0] = 1.0
    length = len(wave) + len(tail)
    echoing = np.fft.irfft(np.fft.rfft(wave, length) * np.fft.rfft(tail, length), length)
    return _as_wave(echoing[: len(wave) + RATE_HZ // 5])


def _as_wave(samples: Samples) -> Wave:
    return np.asarray(samples, np.float32)


def noises(seed: int, count: int, seconds: float) -> Iterator[Wave]:
    """Made noises of every kind, of equal loudness."""
    random = np.random.default_rng(seed)
    kinds = (_coloured, _coloured, _swelling, _speech_shaped, _hum, _clicks)
    for index in range(count):
        wave = kinds[index % len(kinds)](random, int(RATE_HZ * seconds))
        yield _as_wave(0.05 * wave / np.sqrt(np.mean(wave**2) + 1e-12))


def _shaped(random: np.random.Generator, size: int, gains: Samples) -> Samples:
    spectrum = np.fft.rfft(random.standard_normal(size))
    return np.fft.irfft(spectrum * gains, size)


def _frequencies(size: int) -> Samples:
    return np.fft.rfftfreq(size, 1 / RATE_HZ)


def _coloured(random: np.random.Generator, size: int) -> Samples:
    """White, pink, brown and what lies between."""
    return _shaped(random, size, (_frequencies(size) + 20.0) ** -random.uniform(0, 1.1))


def _envelope(random: np.random.Generator, size: int, rate_hz: float, depth: float) -> Samples:
    points = max(2, int(size / RATE_HZ * rate_hz))
    swells = depth * random.standard_normal(points)
    return np.exp(np.interp(np.linspace(0, points - 1, size), np.arange(points), swells))


def _swelling(random: np.random.Generator, size: int) -> Samples:
    return _coloured(random, size) * _envelope(random, size, random.uniform(0.5, 3), 1.2)


def _speech_shaped(random: np.random.Generator, size: int) -> Samples:
    """As loud where speech is loud, and with its rhythm: a crowd far away."""
    frequencies = _frequencies(size)
    wave = _shaped(random, size, np.exp(-0.5 * (np.log((frequencies + 1) / random.uniform(300, 900)) / 0.9) ** 2))
    return wave * _envelope(random, size, random.uniform(4, 9), random.uniform(0.3, 1.0))


def _hum(random: np.random.Generator, size: int) -> Samples:
    """Mains, fans and steady tones."""
    times_s = np.arange(size) / RATE_HZ
    base_hz = random.choice([50.0, 60.0, 100.0, float(random.uniform(100, 600))])
    wave = 0.02 * _coloured(random, size) / 0.05
    for harmonic in range(1, random.integers(2, 12)):
        phase = random.uniform(0, 2 * np.pi)
        wave += random.uniform(0.1, 1) / harmonic * np.sin(2 * np.pi * base_hz * harmonic * times_s + phase)
    return np.asarray(wave)


def _clicks(random: np.random.Generator, size: int) -> Samples:
    """Keys, cutlery, doors: short bursts now and then."""
    wave = 0.003 * random.standard_normal(size)
    for begin in random.integers(0, size - 4000, random.integers(4, 60)):
        length = int(random.integers(40, 3000))
        burst = random.standard_normal(length) * np.exp(-np.arange(length) / (length / 5))
        wave[begin : begin + length] += random.uniform(0.1, 1) * burst
    return np.asarray(wave)
