"""The assistant must not hear itself: where nothing cancels the echo, nothing is heard while the loudspeaker plays."""

import time
from collections.abc import Callable

# The last sound is still in the air, in the room and in the microphone's buffers. Not a pause between turns: it runs
# from the last sample that was played.
_TAIL_S = 0.25


class HalfDuplex:
    """Tells whether the microphone must be taken for silent right now."""

    def __init__(self, is_playing: Callable[[], bool], clock: Callable[[], float] = time.monotonic) -> None:
        self._is_playing = is_playing
        self._clock = clock
        self._deaf_until = clock()

    def is_deaf(self) -> bool:
        """Asked for every message of the microphone."""
        now = self._clock()
        if self._is_playing():
            self._deaf_until = now + _TAIL_S
        return now < self._deaf_until
