"""A sound card as a program of its own, for a room leads only those to its sound server who start in it."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from client.audio.devices import Direction, Render
from client.audio.quiet import quiet_libraries
from client.audio.sound import PortAudio, library
from client.audio.sound_card import SoundCard
from client.audio.tap import Tap
from client.events import DeviceChanged, What
from services.common.audio import Samples
from tests.support.room import Room
from tests.support.shared_data import REPOSITORY
from tests.support.waiting import BOUND_S

_TELL_EVERY_S = 0.1
Change = tuple[Direction, str, bool]


class Program:
    """Such a program, seen from outside."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def changes(self, count: int) -> set[Change]:
        """The next that it tells."""
        return {await self._change() for _ in range(count)}

    async def hears_and_plays(self) -> None:
        """Waits until it does."""
        await self._until(lambda told: bool(told.get("heard") and told.get("played")), "hear and play")

    async def plays(self) -> None:
        """Waits until it plays, and hears nothing."""
        await self._until(lambda told: bool(told.get("played") and not told["heard"]), "play alone")

    async def end(self) -> None:
        """Has it close everything."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        assert await asyncio.wait_for(self._process.wait(), BOUND_S) == 0

    async def _change(self) -> Change:
        told = await self._until(lambda told: "direction" in told, "tell of a device")
        return told["direction"], told["name"], told["is_there"]

    async def _until(self, condition: Callable[[dict[str, Any]], bool], what: str) -> dict[str, Any]:
        async with asyncio.timeout(BOUND_S):
            while True:
                assert self._process.stdout is not None
                line = await self._process.stdout.readline()
                assert line, f"it ended before it did {what}"
                told: dict[str, Any] = json.loads(line)
                if condition(told):
                    return told


@contextlib.asynccontextmanager
async def running(room: Room, microphone: str = "", loudspeaker: str = "") -> AsyncIterator[Program]:
    """The program, beside the test."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", __name__, microphone, loudspeaker),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=REPOSITORY,
        env={**os.environ, **room.environment()},
    )
    try:
        yield Program(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@contextlib.contextmanager
def frozen(room: Room) -> Iterator[None]:
    """Meanwhile the room's sound server answers nobody."""
    server = int(Path(room.variables()["PULSE_RUNTIME_PATH"], "pid").read_text())
    os.kill(server, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(server, signal.SIGCONT)


class _Hum:
    """Plays one value, and counts how often it was asked to."""

    played = 0

    def attach(self, rate_hz: int, latency_s: Callable[[], float]) -> Render:
        return self._render

    def detach(self) -> None:
        """There is nothing to keep."""

    def _render(self, out: Samples) -> None:
        out[:] = np.int16(1000)
        self.played += out.size


async def _run(microphone: str, loudspeaker: str) -> None:
    near, far, hum = Tap(), Tap(), _Hum()
    card = SoundCard(PortAudio(library()), microphone, loudspeaker, near, far, hum, _tell_change)
    await card.open()
    supervising = asyncio.create_task(card.supervise())
    telling = asyncio.create_task(_tell_always(near, far, hum))
    await asyncio.to_thread(sys.stdin.read)
    for task in (supervising, telling):
        task.cancel()
    await asyncio.wait((supervising, telling))
    await card.close()


async def _tell_always(near: Tap, far: Tap, hum: _Hum) -> None:
    while True:
        before = hum.played
        await asyncio.sleep(_TELL_EVERY_S)
        far.read()
        _tell({"heard": near.read().size, "played": hum.played - before})


def _tell_change(what: What) -> None:
    if isinstance(what, DeviceChanged):
        _tell({"direction": what.direction, "name": what.name, "is_there": what.is_there})


def _tell(told: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    with quiet_libraries():
        asyncio.run(_run(*sys.argv[1:]))
