"""A loudspeaker that plays when it is told to."""

import numpy as np

from client.audio.speaker import Speaker


class FakeLoudspeaker(Speaker):
    """What the sound card's thread renders, a test renders here. It holds back `latency_frames`."""

    def __init__(self, rate_hz: int = 16_000, latency_frames: int = 0) -> None:
        super().__init__()
        self.heard = b""
        self.opened = 0
        self.latency_frames = latency_frames
        self._render = self.attach(rate_hz, lambda: self.latency_frames / rate_hz)

    @property
    def buffer(self) -> Speaker:
        """What waits to be played."""
        return self

    def let_play(self, samples: int) -> bytes:
        """So many samples leave it; what they were."""
        out = np.empty(samples, np.int16)
        self._render(out)
        self._render(out[:0])  # it comes again, and what it took is on its way
        self.heard += out.tobytes()
        return out.tobytes()

    def open(self, rate_hz: int) -> None:
        super().open(rate_hz)
        self.opened += 1
