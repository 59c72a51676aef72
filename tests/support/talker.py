"""`superwhisper talk --json` as a child process in a room, and all that it tells, with the moment when it came."""

import asyncio
import contextlib
import json
import signal
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from services.common.tasks import cancel_and_wait
from tests.support.client_command import started
from tests.support.waiting import BOUND_S

_GOODBYE_S = 20.0


@dataclass(frozen=True)
class Told:
    """One JSON line of the client."""

    at: float  # time.monotonic
    event: Mapping[str, Any]

    @property
    def kind(self) -> str:
        """Which event it is."""
        return str(self.event["event"])


@dataclass
class Talker:
    """The client. It is ended as a person would."""

    process: asyncio.subprocess.Process
    told: list[Told] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def type(self, text: str) -> None:
        """A turn in writing."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{text}\n".encode())
        await self.process.stdin.drain()

    async def interrupt(self) -> None:
        """Stops the reply."""
        await self.type('{"command": "interrupt"}')

    async def leave(self) -> None:
        """Ctrl-C; returns when all was told."""
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGINT)
        await asyncio.wait_for(self.process.wait(), _GOODBYE_S)

    async def until(self, wanted: Callable[[Told], bool], since: int = 0, bound_s: float = BOUND_S) -> Told:
        """The first event of that kind from the `since`-th on; fails with what came instead."""
        looked_at = since
        try:
            async with asyncio.timeout(bound_s):
                while True:
                    while looked_at < len(self.told):
                        if wanted(self.told[looked_at]):
                            return self.told[looked_at]
                        looked_at += 1
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise TimeoutError(f"not told within {bound_s:g} s; instead: {self.kinds(since)}") from None

    def kinds(self, since: int = 0) -> list[str]:
        """What was told, in short, without the flood of audio."""
        return [
            f"{told.kind} {told.event.get('state') or told.event.get('text') or ''}".strip()
            for told in self.told[since:]
            if told.kind not in ("reply_audio", "reply_text")
        ]

    def of(self, kind: str, turn_id: str = "", since: int = 0) -> list[Mapping[str, Any]]:
        """The events of a kind, of one turn or of all."""
        found = (told.event for told in self.told[since:] if told.kind == kind)
        return [event for event in found if turn_id in ("", event["turn_id"])]

    async def read(self) -> None:
        """Takes note of what it tells, until it ends."""
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            self.told.append(Told(time.monotonic(), json.loads(line)))
            self._news.set()


def is_kind(kind: str, turn_id: str = "") -> Callable[[Told], bool]:
    """A condition for `until`."""
    return lambda told: told.kind == kind and turn_id in ("", told.event["turn_id"])


def is_state(state: str) -> Callable[[Told], bool]:
    """A condition for `until`."""
    return lambda told: told.kind == "state" and told.event["state"] == state


@contextlib.asynccontextmanager
async def talker(address: str, environment: Mapping[str, str], *arguments: str) -> AsyncIterator[Talker]:
    """Talks until the body is over: then Ctrl-C comes."""
    async with started(
        "talk", "--json", "--address", address, *arguments, environment={"PYTHONUNBUFFERED": "1", **environment}
    ) as process:
        one = Talker(process)
        reading = asyncio.create_task(one.read(), name="reading the client")
        try:
            await one.until(is_kind("session"))
            yield one
        except BaseException as error:
            error.add_note(f"the client told: {one.kinds()}")
            raise
        finally:
            await one.leave()
            await asyncio.wait((reading,), timeout=_GOODBYE_S)
            await cancel_and_wait(reading)
