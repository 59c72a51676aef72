"""The assistant must not hear itself: where nothing cancels the echo, nothing is heard while the loudspeaker plays."""

from collections.abc import Callable

import numpy as np

from client.audio.echo import FRAME_S, is_audible
from services.common.audio import Samples

# The last sound is still in the air and in the room. Not a pause between turns: it runs from the last sound played.
_TAIL_S = 0.25


class HalfDuplex:
    """Silence takes the place of what the microphone hears while something is played, and a moment longer."""

    name = "half-duplex"
    stands_out = False  # it hears nobody

    def __init__(self, latency_s: Callable[[], float] = lambda: 0.0) -> None:
        """`latency_s`: how long sound takes from our hands through both devices back to us; the room not counted."""
        self._latency_s = latency_s
        self._deaf_s = 0.0

    def clean(self, near: Samples, far: Samples) -> Samples:
        """What the microphone heard, where that can be nothing of ours."""
        if is_audible(far):
            self._deaf_s = _TAIL_S + self._latency_s()
        elif self._deaf_s > 0:
            self._deaf_s -= FRAME_S
        return np.zeros_like(near) if self._deaf_s > 0 else near

    def doubt(self) -> None:
        """It is deaf for longer than that matters."""

    def forget(self) -> None:
        """It knows nothing of the devices."""
