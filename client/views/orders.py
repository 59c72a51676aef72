"""What the person asked for by key, carried out one after the other, so that no key has to wait."""

import asyncio
from collections.abc import Awaitable, Callable

Order = Callable[[], Awaitable[None]]
_MOST_WAITING = 10  # as many typed turns as the assistant lets wait


class Orders:
    """A short queue."""

    def __init__(self) -> None:
        self._waiting: asyncio.Queue[Order] = asyncio.Queue(_MOST_WAITING)

    def give(self, order: Order) -> bool:
        """Whether there is room for it; it is carried out soon."""
        if self._waiting.full():
            return False
        self._waiting.put_nowait(order)
        return True

    @property
    def is_waiting(self) -> bool:
        """Whether there is anything to carry out."""
        return not self._waiting.empty()

    async def carry_out_next(self) -> None:
        """Waits for an order, and carries it out. What it fails of is raised."""
        order = await self._waiting.get()
        await order()

    async def carry_out(self) -> None:
        """Goes on for ever."""
        while True:
            await self.carry_out_next()
