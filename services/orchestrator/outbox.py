"""What is told to a client, until it reads it: events in order, and a bounded number of those that a reply makes."""

import asyncio
from collections.abc import AsyncGenerator, Callable

from services.common.errors import LimitExceededError
from services.orchestrator.events import Event, ReplyAudio, ReplyText, Telling

_UNREAD_REPLY_EVENTS = 64  # of a client that does not read: about two seconds of audio
_MOST_UNREAD = 1024  # of one that does not read, and goes on giving reason to tell it something


class Outbox:
    """The way to one connection of a client."""

    def __init__(self, look_at: Callable[[Event], None] = lambda _event: None) -> None:
        self._look_at = look_at
        self._queue: asyncio.Queue[Event | BaseException | None] = asyncio.Queue()
        self._unread = 0
        self._has_ended = False
        self._was_read = asyncio.Event()

    async def room(self) -> None:
        """Waits until part of a reply may be put. Whoever waited puts it before awaiting anything else."""
        while self._unread >= _UNREAD_REPLY_EVENTS:
            self._was_read.clear()
            await self._was_read.wait()

    def put(self, event: Event) -> None:
        """Tells it, after whoever looks at it. What is no part of a reply needs no room: there is little of it."""
        if self._queue.qsize() >= _MOST_UNREAD:
            self.end(LimitExceededError("too much was told and not read", reason="NOT_READ"))
        if self._has_ended:
            return
        self._look_at(event)
        self._unread += _is_of_reply(event)
        self._queue.put_nowait(event)

    def end(self, error: BaseException | None = None) -> None:
        """Nothing more is told; the reader gets the error after what was told before."""
        if not self._has_ended:
            self._has_ended = True
            self._queue.put_nowait(error)

    async def events(self) -> AsyncGenerator[Event, None]:
        """All of it, in order."""
        while (item := await self._queue.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
            self._unread -= _is_of_reply(item)
            self._was_read.set()


class Outlet:
    """What one turn may tell, until it is closed: nothing follows the end of a turn."""

    def __init__(self, outbox: Outbox, turn_id: str) -> None:
        self.turn_id = turn_id
        self._outbox = outbox
        self._is_open = True

    async def room(self) -> None:
        """See the outbox."""
        await self._outbox.room()

    def tell(self, telling: Telling) -> None:
        """Tells it, or nobody if the turn is over."""
        if self._is_open:
            self._outbox.put(Event(self.turn_id, telling))

    def close(self) -> None:
        """The turn is over."""
        self._is_open = False


def _is_of_reply(event: Event) -> bool:
    return isinstance(event.telling, ReplyText | ReplyAudio)
