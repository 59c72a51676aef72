"""A loudspeaker that is not there: what it would have played of a reply by now."""

import time
from collections.abc import Callable


class Loudspeaker:
    """Plays what it is given at once, without a gap while there is any left. One turn's audio at a time."""

    def __init__(self, rate_hz: int, speed: float = 1.0, clock: Callable[[], float] = time.monotonic) -> None:
        """`speed` above 1 plays so many times as fast, for those who have not the time."""
        self.turn_id = ""
        self._samples_per_s = rate_hz * speed
        self._clock = clock
        self._end = 0  # of the audio that it has
        self._played = 0.0
        self._looked_at = clock()
        self._holds = False

    def take(self, turn_id: str, first_sample: int, samples: int) -> None:
        """More audio. That of another turn takes the place of what is left; what was played is not played again."""
        self._play()
        if turn_id != self.turn_id:
            self.turn_id, self._played = turn_id, float(first_sample)
        self._end = first_sample + samples

    def hold(self) -> None:
        """Pauses; nothing is thrown away."""
        self._play()
        self._holds = True

    def go_on(self) -> None:
        """Plays on where it paused."""
        self._play()
        self._holds = False

    def flush(self) -> None:
        """Throws away what is left."""
        self._end = self.played_samples

    @property
    def played_samples(self) -> int:
        """How much of the turn's audio was played."""
        self._play()
        return int(self._played)

    def _play(self) -> None:
        now = self._clock()
        if not self._holds:
            due = self._played + (now - self._looked_at) * self._samples_per_s
            self._played = max(self._played, min(due, self._end))
        self._looked_at = now
