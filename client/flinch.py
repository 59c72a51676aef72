"""Falls silent as soon as somebody seems to speak into a reply, and before the assistant can know.

Its ears need a fifth of a second to be sure, on top of the way there. Who speaks wants silence sooner; a reply that
paused for nothing goes on where it stopped.
"""

import asyncio
from collections.abc import Awaitable, Callable

from client.audio.playback import Player
from client.events import State

_PATIENCE_S = 0.4  # the assistant has heard a voice by then, if it was one
_REST_S = 2.0  # after a pause for nothing: whatever sounds like a voice may go on, and a reply in shreds is no reply


class Flinch:
    """One conversation's. `run` must run meanwhile."""

    def __init__(self, player: Player, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._player = player
        self._sleep = sleep
        self._state = State.LISTENING
        self._is_resting = False
        self._paused = asyncio.Event()  # by us, and the assistant has said nothing about it
        self._pauses = 0

    @property
    def is_pausing(self) -> bool:
        """Whether it waits for the assistant to decide."""
        return self._paused.is_set()

    def startle(self) -> bool:
        """Somebody seems to speak; whether that pauses a reply."""
        if self._state is not State.SPEAKING or self._is_resting or self.is_pausing:
            return False
        self._player.pause()
        self._paused.set()
        self._pauses += 1
        return True

    def heed(self, state: State) -> None:
        """The assistant does this now, whatever we thought. Whoever tells it sees to the loudspeaker."""
        self._state = state
        self._paused.clear()

    async def run(self) -> None:
        """Goes on with replies that were paused for nothing."""
        while True:
            await self._paused.wait()
            pauses = self._pauses
            await self._sleep(_PATIENCE_S)
            if self.is_pausing and self._pauses == pauses:  # not a later one, which has just begun
                self._paused.clear()
                self._player.go_on()
                self._is_resting = True
                await self._sleep(_REST_S)
                self._is_resting = False
