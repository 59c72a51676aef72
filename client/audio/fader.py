"""How loud something is played. Loudness never jumps: a jump is heard as a click."""

import math

import numpy as np

from services.common.audio import Samples

FULL = 1.0
SOFT = 10 ** (-15 / 20)  # -15 dB: heard as there, and easy to speak over
SILENT = 0.0
RAMPS_PER_S = 100  # from full to silent in 10 ms, the shortest that does not click


class Fader:
    """Makes samples louder or softer, on its way to where it is told. Works in buffers that it made beforehand."""

    def __init__(self, rate_hz: int) -> None:
        self.ramp_samples = rate_hz // RAMPS_PER_S
        self.level = FULL
        self._ramp = np.arange(1, self.ramp_samples + 1, dtype=np.float32) / self.ramp_samples
        self._gains = np.empty(self.ramp_samples, np.float32)
        self._mixed = np.empty(self.ramp_samples, np.float32)

    def rest(self, target: float) -> None:
        """Nothing sounds, so whatever was to become softer is so at once."""
        self.level = min(self.level, target)

    def audible(self, target: float, samples: int) -> int:
        """How many of the next samples will be heard: none once it is silent."""
        if target != SILENT:
            return samples
        # Of the level that a ramp left there, the last digits are noise; they are no sample of their own.
        return min(samples, math.ceil(self.level * self.ramp_samples - 1e-3))

    def apply(self, audio: Samples, target: float, out: Samples) -> None:
        """Fills `out` with the audio, as loud as it is to be. A ramp's length at most."""
        if self.level == target == FULL:
            out[:] = audio
            return
        count = len(audio)
        gains, mixed = self._gains[:count], self._mixed[:count]
        rises = target > self.level
        np.multiply(self._ramp[:count], 1.0 if rises else -1.0, out=gains)
        np.add(gains, self.level, out=gains)
        (np.minimum if rises else np.maximum)(gains, target, out=gains)
        # Two steps: numpy would convert within one as well, but in buffers that it allocates for it.
        np.copyto(mixed, audio)
        np.multiply(mixed, gains, out=mixed)
        np.copyto(out, mixed, casting="unsafe")
        self.level = self._reached(float(gains[-1]), target)

    def _reached(self, level: float, target: float) -> float:
        """The exact target where the ramp, which is not as exact, came to it."""
        return target if abs(level - target) < 1e-4 else level
