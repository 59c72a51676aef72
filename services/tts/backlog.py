"""Speech that was made and is not taken yet."""

import asyncio


class Backlog:
    """How much of it there is. Whoever makes it waits while that is too much."""

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._waiting_s = 0.0
        self._has_room = asyncio.Event()
        self._has_room.set()

    async def room(self) -> None:
        """Returns when more may be made."""
        await self._has_room.wait()

    def add(self, duration_s: float) -> None:
        """More was made; or, where that is negative, some was taken."""
        self._waiting_s += duration_s
        if self._waiting_s < self._limit_s:
            self._has_room.set()
        else:
            self._has_room.clear()
