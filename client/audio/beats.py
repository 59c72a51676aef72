"""What a device's own thread does each time it comes. Nobody allocates audio, waits or logs here."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from client.audio.devices import Render
from client.audio.ring import Ring

# Its weight in the average: a moment's latency jumps by a block, and what was heard must never seem to be unheard.
_NEWS = 0.05
_MAX_LATENCY_S = 1.0  # some drivers tell nonsense


@dataclass(frozen=True)
class Form:
    """How a device's audio comes and goes: whole blocks, each sample once for every channel."""

    channels: int
    block_samples: int
    block_s: float


class Beats:
    """What is known of one device from its thread."""

    def __init__(self, form: Form, clock: Callable[[], float]) -> None:
        self.count = 0
        self.late = 0
        self.latency_s = 0.0  # as the library estimates it, once that is known; then as the device tells it
        self._mono = np.zeros(form.block_samples, np.int16)
        self._channels = form.channels
        self._block_s = form.block_s
        self._clock = clock

    def _finish(self, began_s: float, latency_s: float, *, was_late: bool) -> None:
        if 0 < latency_s < _MAX_LATENCY_S:
            self.latency_s += _NEWS * (latency_s - self.latency_s)
        self.late += was_late or self._clock() - began_s > self._block_s
        self.count += 1


class HeardBeats(Beats):
    """A microphone's: what it heard goes to the ring, its channels mixed to one."""

    def __init__(self, heard: Ring, form: Form, clock: Callable[[], float]) -> None:
        super().__init__(form, clock)
        self._ring = heard
        self._sum = np.zeros(form.block_samples, np.int32)

    def __call__(self, audio: Any, frames: int, times: Any, status: Any) -> None:
        """As PortAudio calls it."""
        began_s = self._clock()
        heard = np.frombuffer(audio, np.int16)
        if self._channels > 1:
            heard.reshape(-1, self._channels).sum(axis=1, dtype=np.int32, out=self._sum)
            np.floor_divide(self._sum, self._channels, out=self._mono, casting="unsafe")
            heard = self._mono
        self._ring.write(heard)
        self._finish(began_s, times.currentTime - times.inputBufferAdcTime, was_late=status.input_overflow)


class PlayedBeats(Beats):
    """A loudspeaker's: it plays what `render` gives, on all channels, and the ring gets it as well."""

    def __init__(self, render: Render, played: Ring, form: Form, clock: Callable[[], float]) -> None:
        super().__init__(form, clock)
        self._render = render
        self._ring = played

    def __call__(self, audio: Any, frames: int, times: Any, status: Any) -> None:
        """As PortAudio calls it."""
        began_s = self._clock()
        out = np.frombuffer(audio, np.int16)
        if self._channels > 1:
            self._render(self._mono)
            out.reshape(-1, self._channels)[:] = self._mono[:, np.newaxis]
            self._ring.write(self._mono)
        else:
            self._render(out)
            self._ring.write(out)
        self._finish(began_s, times.outputBufferDacTime - times.currentTime, was_late=status.output_underflow)
