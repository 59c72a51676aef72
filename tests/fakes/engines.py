"""Scripted engines: what each of their requests does is written down beforehand. And one whose thread hangs."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Sequence

from services.common.threads import EngineThreads


class ScriptedEngine:
    """Answers request after request by its script; when that is at its end, by its own name.

    A step that is an exception is raised. In a stream, a step is one item.
    """

    def __init__(self, name: str, script: Sequence[str | BaseException] = ()) -> None:
        self.name = name
        self.asked = 0
        self.closed = False
        self.streams_closed = 0
        self._script = list(script)

    async def answer(self) -> str:
        """The next step of the script."""
        self.asked += 1
        return self._perform(self._script.pop(0)) if self._script else self.name

    async def stream(self) -> AsyncGenerator[str, None]:
        """All steps of the script, from the start each time."""
        self.asked += 1
        try:
            for step in self._script or [self.name]:
                yield self._perform(step)
        finally:
            await asyncio.sleep(0)  # cleaning up takes a turn of the loop: it must be waited for
            self.streams_closed += 1

    async def hang(self) -> str:
        """Never answers."""
        self.asked += 1
        await asyncio.Event().wait()
        return self.name

    async def close(self) -> None:
        """Remembers it."""
        self.closed = True

    def _perform(self, step: str | BaseException) -> str:
        if isinstance(step, BaseException):
            raise step
        return step


class PacedEngine(ScriptedEngine):
    """Works step by step; whether its step is late is said from outside."""

    is_late = False


class HangingEngine(ScriptedEngine):
    """Its thread goes into a call that does not come back, and looks at nothing, until `wake`."""

    def __init__(self, name: str, grace_s: float = 0.05, lost_after_s: float = 0.1) -> None:
        super().__init__(name)
        self._threads = EngineThreads(1, name, grace_s, lost_after_s)
        self._may_return = threading.Event()

    @property
    def stuck(self) -> str | None:
        """As its threads tell."""
        return self._threads.stuck

    async def answer(self) -> str:
        """Hangs."""
        self.asked += 1
        await self._threads.run(lambda _stop: self._may_return.wait())
        return self.name

    def wake(self) -> None:
        """The call comes back after all."""
        self._may_return.set()
        self._threads.shutdown(wait=False)
