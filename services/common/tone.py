"""A soft tone: what sounds where something was to be said and nobody can speak."""

import numpy as np

from services.common.audio import Samples

_PITCH_HZ = 440.0
_LENGTH_S = 0.25
_LOUDNESS = 0.2


def soft_tone(rate_hz: int, volume: float = 1.0) -> Samples:
    """It fades in and out, so that it does not click."""
    time_s = np.arange(int(rate_hz * _LENGTH_S)) / rate_hz
    envelope = np.sin(np.pi * time_s / _LENGTH_S)
    wave = np.sin(2 * np.pi * _PITCH_HZ * time_s) * envelope * min(volume, 2.0) * _LOUDNESS
    return (wave * np.iinfo(np.int16).max).astype(np.int16)
