"""What the client costs while nobody speaks, in its terminal view, with microphone, loudspeaker and echo canceller."""

import asyncio
import contextlib
import os
import pty
import tempfile
import time
from pathlib import Path

from tests.bench.figures import Rows
from tests.bench.resident import resident_mb
from tests.bench.room.staging import LANGUAGE
from tests.support.client_command import started
from tests.support.closed_whisper import closed_whisper
from tests.support.ears import whisper
from tests.support.room import Room, made_room
from tests.support.stack import Stack, running_stack

_SIZE = {"COLUMNS": "100", "LINES": "30", "TERM": "xterm-256color"}
_SETTLES_S = 8.0
_TICKS_A_S = os.sysconf("SC_CLK_TCK")


async def measure(seconds: float) -> dict[str, Rows]:
    """Its share of one core, and its memory."""
    with tempfile.TemporaryDirectory(prefix="room-") as folder, made_room(Path(folder) / "room") as room:
        room.do("echo", "ON")
        async with running_stack(ears=whisper(closed_whisper())) as stack:
            return {"The client at rest": await _rest(stack, room, seconds)}


async def _rest(stack: Stack, room: Room, seconds: float, *arguments: str) -> Rows:
    ours, theirs = pty.openpty()
    flags = ("--address", stack.orchestrator.address, "--language", LANGUAGE, *arguments)
    environment = {**room.environment(), **_SIZE}
    try:
        async with started("talk", *flags, environment=environment, out=theirs, stdin=theirs) as process:
            os.close(theirs)  # so that reading ends with the client
            reading = asyncio.create_task(_read_away(ours), name="the terminal")
            await asyncio.sleep(_SETTLES_S)
            began, used = time.monotonic(), _cpu_s(process.pid)
            await asyncio.sleep(seconds)
            share = (_cpu_s(process.pid) - used) / (time.monotonic() - began)
            memory = resident_mb(process.pid)
            process.terminate()
            await reading
    finally:
        os.close(ours)
    return [{"seconds": seconds, "share of a core, %": round(share * 100, 2), "memory, MB": round(memory, 1)}]


def _cpu_s(pid: int) -> float:
    """User and system time of all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_A_S


async def _read_away(descriptor: int) -> None:
    """A terminal that shows what is written would take it; one that does not stops the writer."""
    with contextlib.suppress(OSError):
        while await asyncio.to_thread(os.read, descriptor, 65536):
            pass
