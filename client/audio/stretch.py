"""A part of a reply on its way through the resampler and the ring: which of it is heard, and which is not yet."""

from collections import deque

import numpy as np

from client.audio.waiting_audio import Piece
from client.events import Played
from services.common.audio import Resampler, Samples


class Stretch:
    """Samples of one turn without a gap, and the ones of the device that they become, from `begin` of its ring on."""

    def __init__(self, first: Piece, begin: int, rate_hz: int, device_hz: int) -> None:
        self.begin = begin
        self._turn_id = first.turn_id
        self._first_sample = self._end_sample = first.first_sample
        self._rate_hz, self._device_hz = rate_hz, device_hz
        self._resampler = Resampler(rate_hz, device_hz)
        self._end = begin
        self._is_complete = False
        self._unheard: deque[Piece] = deque()

    @property
    def is_resampled(self) -> bool:
        """Whether its end comes out only when it is finished."""
        return self._rate_hz != self._device_hz

    def is_followed_by(self, piece: Piece) -> bool:
        """Whether nothing is missing in between."""
        return (self._turn_id, self._end_sample) == (piece.turn_id, piece.first_sample)

    def push(self, piece: Piece) -> Samples:
        """What comes next for the device; of the piece's end the resampler keeps some milliseconds for now."""
        self._unheard.append(piece)
        self._end_sample = piece.end_sample
        return self._out(self._resampler.push(np.frombuffer(piece.audio, np.int16, piece.samples)))

    def finish(self) -> Samples:
        """What was kept. Nothing can follow."""
        rest = self._out(self._resampler.push(np.empty(0, np.int16), last=True))
        self._is_complete = True
        return rest

    def heard(self, position: int) -> Played:
        """How far the turn has come when the ring's samples before `position` were heard."""
        if self._is_complete and position >= self._end:
            return Played(self._turn_id, self._end_sample)
        samples = (position - self.begin) * self._rate_hz // self._device_hz
        return Played(self._turn_id, min(self._first_sample + samples, self._end_sample))

    def unheard(self, position: int) -> list[Piece]:
        """What is left of it then. It keeps no more than this either."""
        sample = self.heard(position).samples
        while self._unheard and self._unheard[0].end_sample <= sample:
            self._unheard.popleft()
        if self._unheard:
            _, self._unheard[0] = self._unheard[0].cut(sample)
        return list(self._unheard)

    def forget(self) -> None:
        """It was thrown away: what was not heard by now is no more."""
        self._unheard.clear()

    def _out(self, samples: Samples) -> Samples:
        self._end += len(samples)
        return samples
