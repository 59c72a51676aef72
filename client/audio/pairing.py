"""What was heard and what was played at the same time, side by side."""

import numpy as np

from client.audio.echo import FRAME_SAMPLES
from client.audio.tap import RATE_HZ
from services.common.audio import Samples

_MAX_WAITING = RATE_HZ  # a second; what is older after a hold-up is lost on both sides
_MARGIN = RATE_HZ // 100  # of what is played may wait for what is heard: sound takes longer than that to come back


class Pairing:
    """Both sides come in pieces of any size and leave in frames.

    Where they do not keep step, the far side is mended: by silence where it has nothing yet, by leaving out where it
    is ahead for good. So nothing of what was heard is lost or waits.
    """

    def __init__(self) -> None:
        self._near = self._far = np.empty(0, np.int16)
        # Sound cards give samples in bursts, and those of two cards meet differently each time: a little too much is
        # only too much if it stays for long. Much more is so sooner: its echo would come before it.
        self._surpluses = (_Surplus(3 * RATE_HZ // 10, 6 * _MARGIN), _Surplus(15 * RATE_HZ, _MARGIN))

    def push(self, near: Samples, far: Samples) -> tuple[Samples, Samples]:
        """The whole frames that there are of the near side now, and as much of the far side."""
        near, far = np.concatenate((self._near, near)), np.concatenate((self._far, far))
        lost = max(near.size - _MAX_WAITING, 0)
        near, far = near[lost:], far[lost:]
        size = near.size // FRAME_SAMPLES * FRAME_SAMPLES
        self._near, self._far = near[size:], far[size:][-_MAX_WAITING:]
        for surplus in self._surpluses:
            self._far = self._far[surplus.after(self._far.size, size) :]
        far = far[:size]
        return near[:size], np.pad(far, (0, size - far.size)) if far.size < size else far


class _Surplus:
    """What was there all the time lately, and more than is tolerated."""

    def __init__(self, look_back: int, tolerated: int) -> None:
        self._look_back = look_back
        self._tolerated = tolerated
        self._least = _MAX_WAITING
        self._seen = 0

    def after(self, waiting: int, size: int) -> int:
        """How many of the samples that wait, when so many went, are to be left out: all but the margin."""
        if not size:
            return 0
        self._least = min(self._least, waiting)
        self._seen += size
        if self._seen < self._look_back:
            return 0
        least, self._least, self._seen = self._least, _MAX_WAITING, 0
        return least - _MARGIN if least > self._tolerated else 0
