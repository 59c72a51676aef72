"""A whole stack, a room, and the client in it."""

import contextlib
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.closed_whisper import closed_whisper
from tests.support.ears import whisper
from tests.support.room import Room, made_room
from tests.support.stack import Stack, running_stack
from tests.support.talker import Talker, talker
from tests.support.tape import Tape, taping

LANGUAGE = "fr"  # of the made Whisper's sentences that are no backchannels


@dataclass(frozen=True)
class Scene:
    """Somebody in a room with the assistant."""

    room: Room
    stack: Stack
    talker: Talker
    speakers: Tape
    air: Tape
    folder: Path


@contextlib.asynccontextmanager
async def scene(*arguments: str, echo: bool, longest_reply: int = 120) -> AsyncIterator[Scene]:
    """The embedded engines, but for ears that know some French sentences word for word; all gone at the end."""
    mind = ("--llm.sampling.max_tokens", str(longest_reply))
    with tempfile.TemporaryDirectory(prefix="room-") as folder:
        async with contextlib.AsyncExitStack() as exits:
            stack = await exits.enter_async_context(running_stack(ears=whisper(closed_whisper()), mind=mind))
            room = exits.enter_context(made_room(Path(folder) / "room"))
            room.do("echo", "ON" if echo else "OFF")
            speakers = await exits.enter_async_context(taping(room, "speakers"))
            air = await exits.enter_async_context(taping(room, "room"))
            out = ("--out", str(Path(folder) / "replies.wav"), "--language", LANGUAGE)
            one = await exits.enter_async_context(
                talker(stack.orchestrator.address, room.environment(), *out, *arguments)
            )
            yield Scene(room, stack, one, speakers, air, Path(folder))
