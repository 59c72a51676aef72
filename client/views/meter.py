"""A level meter that stands still where the room does."""

from client.audio.levels import SILENCE_DBFS

STEPS = 24
_STEP_DB = -SILENCE_DBFS / STEPS


class Meter:
    """Rises at once and falls step by step, as the eye likes it. A quiet room's noise does not make it flicker."""

    def __init__(self) -> None:
        self.steps = 0

    def observe(self, dbfs: float) -> None:
        """Takes note of how loud it is, some ten times a second."""
        now = round((min(max(dbfs, SILENCE_DBFS), 0) - SILENCE_DBFS) / _STEP_DB)
        if now > self.steps:
            self.steps = now
        elif now < self.steps - 1 or not now:
            self.steps = max(self.steps - 1, now)
