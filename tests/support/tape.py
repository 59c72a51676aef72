"""What a sound card of a made room played, and when: samples on the clock of the machine."""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator

import numpy as np

from services.common.audio import Samples
from tests.support.room import Room
from tests.support.waiting import wait_until

RATE_HZ = 48_000
_READ_BYTES = 960  # 10 ms


class Tape:
    """Runs along. A moment is one of time.monotonic()."""

    def __init__(self) -> None:
        self._audio = bytearray()
        self._began_at = float("inf")

    async def run(self, stream: asyncio.StreamReader) -> None:
        """Takes all of the stream."""
        while piece := await stream.read(_READ_BYTES):
            self._audio += piece
            # A sample cannot come before it was played: the earliest that any came tells when the first one was.
            self._began_at = min(self._began_at, time.monotonic() - self.seconds)

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self._audio) / 2 / RATE_HZ

    @property
    def now(self) -> float:
        """The moment that it has reached."""
        return self._began_at + self.seconds

    def between(self, begins_at: float, ends_at: float) -> Samples:
        """What was played then."""
        first, end = (max(round((at - self._began_at) * RATE_HZ), 0) for at in (begins_at, ends_at))
        return np.frombuffer(bytes(self._audio[2 * first : 2 * end]), np.int16)

    def moment(self, begins_at: float, sample: int) -> float:
        """When that sample of `between(begins_at, …)` was played."""
        return max(begins_at, self._began_at) + sample / RATE_HZ


@contextlib.asynccontextmanager
async def taping(room: Room, sink: str) -> AsyncIterator[Tape]:
    """Tapes what goes to this sink: `speakers`, all that the client plays, or `room`, all that its microphone hears."""
    process = await asyncio.create_subprocess_exec(
        *("parec", "-d", f"{sink}.monitor", "--raw", "--format=s16le", f"--rate={RATE_HZ}", "--channels=1"),
        "--latency-msec=10",
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, **room.variables()},
    )
    assert process.stdout is not None
    tape = Tape()
    running = asyncio.create_task(tape.run(process.stdout), name=f"tape of {sink}")
    try:
        await wait_until(lambda: tape.seconds > 0.1, "the tape to run")
        yield tape
    finally:
        process.terminate()
        await process.wait()
        await running
