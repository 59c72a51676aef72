"""How loud something is played. Loudness never jumps: a jump is heard as a click."""

import numpy as np

from services.common.audio import BYTES_PER_SAMPLE

FULL = 1.0
SOFT = 10 ** (-15 / 20)  # -15 dB: heard as there, and easy to speak over
SILENT = 0.0
_RAMP_MS = 10  # the shortest that does not click


class Fader:
    """Makes samples louder or softer; it gets to where it is told in a ramp of 10 ms."""

    def __init__(self, rate_hz: int) -> None:
        self.ramp_samples = rate_hz * _RAMP_MS // 1000
        self.target = FULL
        self._level = FULL
        self._left = 0  # samples of the ramp that are still to come

    def move_to(self, target: float) -> None:
        """Begins to go there from where it is."""
        if target != self.target:
            self.target = target
            self._left = self.ramp_samples

    def rest(self) -> None:
        """Nothing sounds, so whatever was to become softer is so at once."""
        if self.target < self._level:
            self._level, self._left = self.target, 0

    def reset(self) -> None:
        """At full loudness, at once."""
        self.target = self._level = FULL
        self._left = 0

    def audible(self, samples: int) -> int:
        """How many of the next samples will be heard: none once it is silent."""
        return min(samples, self._left) if self.target == SILENT else samples

    def apply(self, audio: bytes) -> bytes:
        """The audio, as loud as it is to be."""
        if self._level == self.target == FULL or not audio:
            return audio
        ramp = min(self._left, len(audio) // BYTES_PER_SAMPLE)
        gains = np.full(len(audio) // BYTES_PER_SAMPLE, self.target, np.float32)
        if ramp:
            step = (self.target - self._level) / self._left
            gains[:ramp] = self._level + step * np.arange(1, ramp + 1)
        self._left -= ramp
        self._level = float(gains[ramp - 1]) if self._left else self.target
        return (np.frombuffer(audio, np.int16) * gains).astype(np.int16).tobytes()

    def fade_out(self, audio: bytes) -> bytes:
        """The audio, silent at its end; what follows is at full loudness."""
        gains = np.linspace(self._level, SILENT, len(audio) // BYTES_PER_SAMPLE + 1, dtype=np.float32)[1:]
        self.reset()
        return (np.frombuffer(audio, np.int16) * gains).astype(np.int16).tobytes()
