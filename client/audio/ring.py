"""Samples on their way between the sound card's thread and ours. Nobody locks, waits or allocates."""

import numpy as np

from services.common.audio import Samples


class Ring:
    """One thread writes, another reads. Each moves a counter of its own, after the samples are in place."""

    def __init__(self, size: int) -> None:
        self._samples = np.zeros(size, np.int16)
        self._size = size
        self._written = 0
        self._read = 0

    @property
    def waiting(self) -> int:
        """Samples that can be read."""
        return self._written - self._read

    @property
    def space(self) -> int:
        """Samples that can be written."""
        return self._size - self.waiting

    def write(self, samples: Samples) -> int:
        """Takes what there is space for; returns how much that was."""
        count = min(len(samples), self.space)
        place = self._written % self._size
        first = min(count, self._size - place)
        self._samples[place : place + first] = samples[:first]
        self._samples[: count - first] = samples[first:count]
        self._written += count
        return count

    def read_into(self, out: Samples) -> int:
        """Fills the beginning of `out` with what there is; returns how much that was."""
        count = min(len(out), self.waiting)
        place = self._read % self._size
        first = min(count, self._size - place)
        out[:first] = self._samples[place : place + first]
        out[first:count] = self._samples[: count - first]
        self._read += count
        return count

    def read(self) -> Samples:
        """All there is."""
        samples = np.empty(self.waiting, np.int16)
        self.read_into(samples)
        return samples
