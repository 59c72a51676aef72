"""A text that grows: written once, read by several readers, each from its beginning."""

import asyncio
from collections.abc import AsyncGenerator


class TextFlow:
    """The text of a reply, on its way to the mouth. What it holds is bounded by the length of a reply."""

    def __init__(self, text: str = "") -> None:
        self._parts = [text] if text else []
        self._is_complete = False
        self._grew = asyncio.Event()

    def append(self, delta: str) -> None:
        """More text."""
        self._parts.append(delta)
        self._wake()

    def end(self) -> None:
        """That was all."""
        self._is_complete = True
        self._wake()

    async def read(self) -> AsyncGenerator[str, None]:
        """What is there, then what is added, until it is complete."""
        position = 0
        while True:
            if position < len(self._parts):
                text = "".join(self._parts[position:])
                position = len(self._parts)
                yield text
            elif self._is_complete:
                return
            else:
                await self._grew.wait()

    def _wake(self) -> None:
        """Whoever waits goes on; whoever comes next waits for the next time."""
        self._grew.set()
        self._grew = asyncio.Event()
