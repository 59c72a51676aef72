"""Audio comes in irregular pieces: how much of it must be there before it is begun to be played."""

_LEAST_MS = 60
_MOST_MS = 240


class JitterBuffer:
    """Decides when to begin. Frames that were played meanwhile are its clock."""

    def __init__(self, rate_hz: int) -> None:
        self._least = rate_hz * _LEAST_MS // 1000
        self._most = rate_hz * _MOST_MS // 1000
        self._wanted = self._least
        self._waited = 0
        self._is_waiting = False

    def may_begin(self, ready: int, frames: int, *, is_new_turn: bool) -> bool:
        """Whether the next `frames` may bring some of the `ready` samples.

        Yes, once enough is there; and before the first of them waited for as long as enough would sound, or the end of
        a reply would never be heard. If the audio ran out within a turn, twice as much is enough from then on.
        """
        if not ready:
            return False
        if not self._is_waiting:
            self._is_waiting, self._waited = True, 0
            self._wanted = self._least if is_new_turn else min(2 * self._wanted, self._most)
        if ready < self._wanted and self._waited + frames <= self._wanted:
            self._waited += frames
            return False
        self.reset()
        return True

    def reset(self) -> None:
        """Nothing waits any more."""
        self._is_waiting = False
