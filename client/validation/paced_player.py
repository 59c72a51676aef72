"""A loudspeaker that nobody hears: it plays at the pace of time, so that replies last as long as they would."""

import asyncio
import time
from collections import deque
from collections.abc import Callable

from client.events import Played, ReplyAudio
from services.common.audio import BYTES_PER_SAMPLE

_LOOK_EVERY_S = 0.02


class PacedPlayer:
    """For recordings: what is said into a reply must find one that still goes on."""

    rate_hz = 22_050  # what the voices speak at: nothing needs resampling

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._waiting: deque[tuple[str, int, int]] = deque()  # turn, first sample, end
        self._played: Played | None = None
        self._looked_at = clock()
        self._owed = 0.0  # samples that time has played and nothing has used yet
        self._is_paused = False

    def open(self, rate_hz: int) -> None:
        """Gets ready for audio of this rate."""
        self.rate_hz = rate_hz

    async def play(self, turn_id: str, reply: ReplyAudio) -> None:
        """Takes more audio; what was played already is not played again."""
        self._go_on_until_now()
        start, end = reply.first_sample, reply.first_sample + len(reply.audio) // BYTES_PER_SAMPLE
        known = next((one[2] for one in reversed(self._waiting) if one[0] == turn_id), 0)
        if self._played is not None and self._played.turn_id == turn_id:
            known = max(known, self._played.samples)
        if end > known:
            self._waiting.append((turn_id, max(start, known), end))

    def pause(self) -> None:
        """Plays nothing for now."""
        self._go_on_until_now()
        self._is_paused = True

    def duck(self) -> None:
        """Softly or not: nobody hears it."""
        self.go_on()

    def go_on(self) -> None:
        """Plays from where it stopped."""
        self._go_on_until_now()
        self._is_paused = False

    def flush(self) -> None:
        """Throws away what was not played yet; what comes is played as usual."""
        self._go_on_until_now()
        self._waiting.clear()
        self._is_paused = False

    def played(self) -> Played | None:
        """How far the last turn has come."""
        self._go_on_until_now()
        return self._played

    def is_playing(self) -> bool:
        """Whether it would be heard right now."""
        self._go_on_until_now()
        return bool(self._waiting) and not self._is_paused

    async def drained(self) -> None:
        """Waits until all was played."""
        while self._is_left():  # noqa: ASYNC110  # only time moves it on
            await asyncio.sleep(_LOOK_EVERY_S)

    def _is_left(self) -> bool:
        self._go_on_until_now()
        return bool(self._waiting)

    def _go_on_until_now(self) -> None:
        now = self._clock()
        self._owed = 0 if self._is_paused else self._owed + (now - self._looked_at) * self.rate_hz
        self._looked_at = now
        while self._waiting and self._owed >= 1:
            turn_id, start, end = self._waiting.popleft()
            reached = min(end, start + int(self._owed))
            self._owed -= reached - start
            self._played = Played(turn_id, reached)
            if reached < end:
                self._waiting.appendleft((turn_id, reached, end))
        if not self._waiting:
            self._owed = 0.0
