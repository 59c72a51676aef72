"""Samples on their way to the loudspeaker, at its own rate, and how loud it plays them."""

from dataclasses import dataclass

import numpy as np

from client.audio.fader import FULL, RAMPS_PER_S, SILENT, Fader
from client.audio.jitter_buffer import JitterBuffer
from client.audio.runs import Runs
from services.common.audio import Samples

_RING_S = 4


@dataclass(frozen=True)
class _Order:
    """What is to be done with the samples."""

    loudness: float = FULL
    drop_before: int = 0  # a position; what waits before it is not to be heard any more


class OutputRing:
    """We write and give orders; the sound card's thread renders, and waits for nobody.

    Positions count samples from the first one ever written. It is safe without a lock because each attribute has one
    writer, who sets it after whatever it vouches for: `_written` after the samples, `_read` once they were copied,
    `_order` as a whole. To read one that is a moment old means to see a little less than there is, or to obey a little
    later. (CPython's interpreter lock keeps these in their order, and no attribute is ever seen half written.)
    """

    def __init__(self, rate_hz: int) -> None:
        # Ours.
        self._samples = np.zeros(rate_hz * _RING_S, np.int16)
        self._written = 0
        self._turn_begins = 0  # position at which the newest turn does
        self._order = _Order()
        # The sound card's.
        self._read = 0
        self._dropped_before = 0  # the last such order that was obeyed
        self._frames = 0  # rendered, silence included
        self._gone = 0  # of them, when the sound card came last: what it took before is on its way
        self._has_begun = False  # not so until the jitter buffer says so
        self._sounds = False  # the last step was audio to its end
        self._step = rate_hz // RAMPS_PER_S  # as much as the fader takes at once
        self._fader = Fader(rate_hz)
        self._jitter = JitterBuffer(rate_hz)
        self._runs = Runs()

    # --- ours

    @property
    def waiting(self) -> int:
        """Samples that are still to be rendered."""
        written, read, order = self._written, self._read, self._order
        if order.drop_before <= self._dropped_before:
            return written - read
        fading = min(order.drop_before - read, self._fader.audible(SILENT, self._step)) if self._sounds else 0
        return written - order.drop_before + max(fading, 0)

    @property
    def is_running(self) -> bool:
        """Whether the sound card came for something."""
        return self._frames > 0

    @property
    def space(self) -> int:
        """Samples that can be written."""
        return len(self._samples) - (self._written - self._read)

    @property
    def end(self) -> int:
        """The position of the next sample that is written."""
        return self._written

    def begin_turn(self) -> None:
        """What is written next is of another turn."""
        self._turn_begins = self._written

    def write(self, samples: Samples) -> None:
        """Appends them. There must be space."""
        if len(samples) > self.space:
            raise BufferError(f"{len(samples)} samples do not fit in the {self.space} that are free")
        place = self._written % len(self._samples)
        first = min(len(samples), len(self._samples) - place)
        self._samples[place : place + first] = samples[:first]
        self._samples[: len(samples) - first] = samples[first:]
        self._written += len(samples)

    def move_to(self, loudness: float) -> None:
        """From now on it is that loud; while it is silent, everything waits."""
        self._order = _Order(loudness, self._order.drop_before)

    def flush(self) -> None:
        """Drops what waits. What sounds right now fades out; what is written after this is at full loudness."""
        self._order = _Order(FULL, self._written)

    def heard(self, delay_frames: int) -> int | None:
        """The position behind the last sample that was heard, if the device holds back so many frames."""
        return self._runs.heard(self._gone - delay_frames)

    def is_silent(self, delay_frames: int) -> bool:
        """Whether nothing that was rendered is still to be heard."""
        return self._runs.are_over(self._gone - delay_frames)

    # --- the sound card's

    def render(self, out: Samples) -> None:
        """Fills `out` with what is to be heard next, and with silence where there is nothing."""
        self._gone = self._frames
        for start in range(0, len(out), self._step):
            self._render_step(out[start : start + self._step])

    def _render_step(self, out: Samples) -> None:
        order = self._order  # before `_written`: what is to be dropped was written by then
        written = self._written
        if order.drop_before > self._dropped_before and not self._is_fading(order.drop_before):
            self._drop(order)
        if order.drop_before > self._dropped_before:
            end, loudness = order.drop_before, SILENT
        else:
            end, loudness = written, order.loudness
        count = self._due(end, loudness, len(out))
        self._copy(loudness, out[:count])
        out[count:] = 0
        if count:
            self._runs.note(self._frames, self._read, count)
        self._read += count
        self._frames += len(out)
        self._sounds = 0 < count == len(out)
        self._has_begun &= self._sounds or self._read < written

    def _is_fading(self, end: int) -> bool:
        """Whether what sounds has not faded out yet, and some of it is left to do so."""
        return self._sounds and self._fader.level > SILENT and self._read < end

    def _drop(self, order: _Order) -> None:
        self._read = max(self._read, order.drop_before)
        self._dropped_before = order.drop_before
        self._fader.level = order.loudness
        self._has_begun = self._sounds = False
        self._jitter.reset()

    def _due(self, end: int, loudness: float, frames: int) -> int:
        """How many of the samples up to `end` are to be heard in the next `frames`."""
        if not self._sounds:
            self._fader.rest(loudness)
        if not self._has_begun:
            is_new_turn = self._turn_begins >= self._read
            self._has_begun = self._jitter.may_begin(end - self._read, frames, is_new_turn=is_new_turn)
        return min(end - self._read, self._fader.audible(loudness, frames)) if self._has_begun else 0

    def _copy(self, loudness: float, out: Samples) -> None:
        place = self._read % len(self._samples)
        first = min(len(out), len(self._samples) - place)
        if first:
            self._fader.apply(self._samples[place : place + first], loudness, out[:first])
        if first < len(out):
            self._fader.apply(self._samples[: len(out) - first], loudness, out[first:])
