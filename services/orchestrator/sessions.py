"""All sessions of this orchestrator: how many there may be, and how they outlive a lost connection."""

import asyncio
import hashlib
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field

from services.common.errors import CallAbortedError, InvalidInputError, LimitExceededError, NotFoundError
from services.common.tasks import cancel_and_wait
from services.orchestrator.conversation import Conversation
from services.orchestrator.events import SessionOpened
from services.orchestrator.history_store import HistoryStore
from services.orchestrator.reply_maker import ConversationOptions
from services.orchestrator.resources import Resources
from services.orchestrator.session import Session

_PARKED_TO_CONNECTED = 4  # a session that waits costs a history, and two seconds of audio at most
_KEEP_EVERY_S = 20.0  # far below the time after which the store forgets


@dataclass
class _Entry:
    """A session, and what it is doing: a client is connected, or will be until it expires."""

    session: Session
    token: str
    conversation: Conversation | None = None
    expiry: "asyncio.Task[None] | None" = None
    is_being_taken: bool = False  # by a client that is coming back


@dataclass
class Sessions:
    """The connected ones, and for a while those whose client was lost."""

    resources: Resources
    store: HistoryStore | None = None
    _entries: dict[str, _Entry] = field(default_factory=dict)  # by a digest of the token
    _opening: asyncio.Lock = field(default_factory=asyncio.Lock)  # two may come with the same token

    @asynccontextmanager
    async def connected(
        self, options: ConversationOptions, resume_token: str = ""
    ) -> AsyncIterator[tuple[Conversation, SessionOpened]]:
        """A conversation in a new session, or in the one of the token, as long as the body runs."""
        async with self._opening if resume_token else nullcontext():  # nobody new waits for who comes back
            entry = await self._resumed(resume_token, options) if resume_token else self._new(options)
            conversation = entry.conversation = Conversation(entry.session, self.resources, options)
            entry.is_being_taken = False
        opened = SessionOpened(entry.session.session_id, entry.token, options.output_rate_hz, bool(resume_token))
        keeping = asyncio.create_task(self._keep(entry), name="keep history")
        try:
            with self.resources.metrics.sessions.track_inprogress():
                yield conversation, opened
        finally:
            await cancel_and_wait(keeping)
            if entry.conversation is conversation:
                await self._left(entry)

    async def close(self) -> None:
        """Ends all of them."""
        for entry in tuple(self._entries.values()):
            await self._end(entry)
        if self.store is not None:
            await self.store.close()

    def _new(self, options: ConversationOptions) -> _Entry:
        self._check_room(None)
        session = Session(self.resources, options, secrets.token_hex(8))
        return self._add(_Entry(session, secrets.token_urlsafe(24)))

    async def _resumed(self, token: str, options: ConversationOptions) -> _Entry:
        kept = await self.store.get(_digest(token)) if self.store is not None else None
        entry = self._entries.get(_digest(token))
        self._check_room(entry)
        if entry is not None and options.output_rate_hz != entry.session.options.output_rate_hz:
            raise InvalidInputError("config.output_format", "the session that goes on has another one")
        if entry is not None:
            await self._take_over(entry)
        if kept is not None and (entry is None or kept.turns > entry.session.turns):
            if entry is not None:  # it went on at another replica meanwhile
                await self._end(entry)
            entry = self._add(_Entry(Session(self.resources, options, kept.session_id, kept), token))
        if entry is None:
            raise NotFoundError("config.resume_token: there is no such session any more", field="config.resume_token")
        self.resources.metrics.session_resumed()
        self._count_parked()
        return entry

    async def _take_over(self, entry: _Entry) -> None:
        """Neither its expiry nor a connection that is not known to be lost yet has a say in it any more."""
        conversation, expiry = entry.conversation, entry.expiry
        entry.conversation = entry.expiry = None
        entry.is_being_taken = True
        try:
            if expiry is not None:
                await cancel_and_wait(expiry)
            if conversation is not None:
                await conversation.end(CallAbortedError("the session goes on over another connection"))
        except BaseException:  # whoever took it over is gone as well
            entry.is_being_taken = False
            self._park(entry)
            raise

    def _add(self, entry: _Entry) -> _Entry:
        self._entries[_digest(entry.token)] = entry
        return entry

    def _check_room(self, besides: _Entry | None) -> None:
        limit = self.resources.settings.max_sessions
        others = [one for one in self._entries.values() if one is not besides]
        if sum(one.conversation is not None or one.is_being_taken for one in others) >= limit:
            raise LimitExceededError(f"{limit} conversations are open, which is the limit; try again later")

    async def _left(self, entry: _Entry) -> None:
        """Its client is gone: for good, or to come back."""
        entry.conversation = None
        is_draining, resume_s = self.resources.draining.is_set(), self.resources.settings.session.resume_s
        if entry.session.over.is_set() and not is_draining:
            await self._end(entry)
            if self.store is not None:
                await self.store.forget(_digest(entry.token))
            return
        if is_draining or not resume_s:
            await self._save(entry)
            await self._end(entry)
            return
        self._park(entry)
        await self._save(entry)
        parked = [other for other in self._entries.values() if other.expiry is not None]
        if len(parked) > _PARKED_TO_CONNECTED * self.resources.settings.max_sessions:
            await self._end(parked[0])

    def _park(self, entry: _Entry) -> None:
        after_s = self.resources.settings.session.resume_s
        entry.expiry = asyncio.create_task(self._expire(entry, after_s), name="session expiry")
        self._count_parked()

    async def _expire(self, entry: _Entry, after_s: float) -> None:
        await asyncio.sleep(after_s)
        entry.expiry = None
        await self._end(entry)

    async def _end(self, entry: _Entry) -> None:
        """The store forgets by itself: another replica may have gone on with it."""
        self._entries.pop(_digest(entry.token), None)
        expiry, entry.expiry = entry.expiry, None
        if expiry is not None:
            await cancel_and_wait(expiry)
        self._count_parked()
        await entry.session.close()

    def _count_parked(self) -> None:
        parked = sum(1 for entry in self._entries.values() if entry.expiry is not None)
        self.resources.metrics.sessions_parked(parked)

    async def _keep(self, entry: _Entry) -> None:
        """Keeps the history where other replicas find it: whenever it grows, and often enough to be still there."""
        while self.store is not None:
            entry.session.remembered.clear()
            await self._save(entry)
            try:
                async with asyncio.timeout(_KEEP_EVERY_S):
                    await entry.session.remembered.wait()
            except TimeoutError:
                continue

    async def _save(self, entry: _Entry) -> None:
        if self.store is not None:
            await self.store.put(_digest(entry.token), entry.session.to_keep())


def _digest(token: str) -> str:
    """Tokens are compared and kept as this: nobody learns one from a key, nor from how long a comparison takes."""
    return hashlib.sha256(token.encode()).hexdigest()
