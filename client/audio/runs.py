"""Which samples the sound card was given, and when: what was heard of them by now."""

from array import array

_KEPT = 1024  # between two questions there are a few; of a program that was held up for long the oldest are forgotten


class Runs:
    """Samples that were played without a gap, run after run.

    The sound card's thread notes, another asks. The former writes a run before it counts it, and then only makes it
    longer, so the latter never sees half of one. It takes nothing back: both read what was true a moment ago, at worst.
    """

    def __init__(self) -> None:
        self._frames, self._positions, self._lengths = (array("q", bytes(8 * _KEPT)) for _ in range(3))
        self._count = 0
        self._current = -1  # the run that was heard last; only the one who asks knows it

    def note(self, frame: int, position: int, samples: int) -> None:
        """So many samples, from `position` of the ring on, are the sound card's `frame`-th frame and the next ones."""
        last = (self._count - 1) % _KEPT
        length = self._lengths[last]
        if self._count and frame == self._frames[last] + length and position == self._positions[last] + length:
            self._lengths[last] = length + samples
            return
        place = self._count % _KEPT
        self._frames[place], self._positions[place], self._lengths[place] = frame, position, samples
        self._count += 1

    def heard(self, frame: int) -> int | None:
        """The position behind the last sample that was heard before `frame`; None if there was none."""
        # Half of them, so that nothing that is being read is written anew.
        self._current = max(self._current, self._count - _KEPT // 2)
        while self._current + 1 < self._count and self._frames[(self._current + 1) % _KEPT] < frame:
            self._current += 1
        if self._current < 0:
            return None
        place = self._current % _KEPT
        return self._positions[place] + max(min(frame - self._frames[place], self._lengths[place]), 0)

    def are_over(self, frame: int) -> bool:
        """Whether all that was given was heard before `frame`."""
        last = (self._count - 1) % _KEPT
        return not self._count or self._frames[last] + self._lengths[last] <= frame
