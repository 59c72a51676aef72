"""Whether somebody begins to speak into a reply: sooner than the assistant's ears can tell, and less surely.

So the reply may be paused at once, and goes on after a moment where the ears did not find a voice.
"""

import numpy as np
from numpy.typing import NDArray

from client.audio.echo import FRAME_SAMPLES
from client.audio.tap import RATE_HZ
from services.common.audio import Samples

_SEEN_SAMPLES = 4 * FRAME_SAMPLES  # two periods of the deepest voice
_SPAN = 1024  # of the transform: so long that the correlation does not run around
_SHORTEST, _LONGEST = RATE_HZ // 400, RATE_HZ // 75  # periods of voices
_PERIODIC = 0.4  # of a voice's power repeats itself from one period to the next; of noise and clicks, far less
_ABOVE_FLOOR = 10 ** (5 / 10)  # of power
_LEAST = 120.0**2  # of power: who is fainter is left to the ears
_FLOOR_RISES = 0.01  # a frame: to whatever goes on for more than a second
_FLOOR_FALLS = 0.2
_VOICED_FRAMES = 3


class NearVoice:
    """Fed with the frames that an echo guard left, while a reply is played."""

    def __init__(self) -> None:
        self._seen = np.zeros(_SEEN_SAMPLES, np.float32)
        self._floor = _LEAST
        self._voiced_frames = 0

    def hears(self, cleaned: Samples) -> bool:
        """Whether somebody speaks right now, as far as can be told from the last 40 ms."""
        self._seen = np.concatenate((self._seen[FRAME_SAMPLES:], cleaned.astype(np.float32)))
        newest = self._seen[-FRAME_SAMPLES:]
        power = float(newest @ newest) / FRAME_SAMPLES
        is_loud = power > max(_LEAST, _ABOVE_FLOOR * self._floor)
        self._floor += (_FLOOR_RISES if power > self._floor else _FLOOR_FALLS) * (power - self._floor)
        if is_loud and _periodicity(self._seen) > _PERIODIC:
            self._voiced_frames += 1
        else:
            self._voiced_frames = 0
        return self._voiced_frames >= _VOICED_FRAMES


def _periodicity(wave: NDArray[np.float32]) -> float:
    """How much of the wave is like itself a period before, at the period that fits best: 1 where all is."""
    spectrum = np.fft.rfft(wave, _SPAN)
    likeness = np.fft.irfft(spectrum.real**2 + spectrum.imag**2, _SPAN)
    energy = np.cumsum(wave.astype(np.float64) ** 2)
    lags = np.arange(_SHORTEST, _LONGEST + 1)
    overlap = energy[wave.size - 1 - lags] * (energy[-1] - energy[lags - 1])  # of its first part and its last part
    return float(np.max(likeness[lags] / np.sqrt(overlap + 1)))
