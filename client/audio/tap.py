"""What goes through the sound card in one direction, for us to listen to: at 16 kHz, whatever the device's rate."""

import numpy as np

from client.audio.ring import Ring
from services.common.audio import Resampler, Samples

RATE_HZ = 16_000  # what the ears work at, and the echo canceller; more would only be thrown away there
_RING_S = 2.0  # whoever is held up for longer loses the newest audio


class Tap:
    """The sound card's thread writes to `attach`'s ring, at the rate of the device that is there at the moment."""

    def __init__(self) -> None:
        self._ring = Ring(1)
        self._resampler = Resampler(RATE_HZ, RATE_HZ)
        self._is_new = False
        self.begun = 0  # devices of which something was read

    def attach(self, rate_hz: int) -> Ring:
        """Another device writes from now on; what was not read of the one before is gone with it."""
        self._resampler = Resampler(rate_hz, RATE_HZ)
        self._ring = Ring(int(rate_hz * _RING_S))
        self._is_new = True
        return self._ring

    def detach(self) -> None:
        """Nothing writes any more."""
        self.attach(RATE_HZ)

    def read(self) -> Samples:
        """All that came since the last time."""
        samples = self._ring.read()
        if not samples.size:
            return np.empty(0, np.int16)
        self.begun += self._is_new
        self._is_new = False
        return self._resampler.push(samples)
