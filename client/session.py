"""One run of `talk`: the conversation, what is shown of it and what is played of it."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing, suppress
from typing import Protocol

from client.audio.playback import Player
from client.conversation import Conversation
from client.errors import CommandError
from client.events import (
    Degraded,
    End,
    Event,
    Hold,
    Interrupt,
    Interrupted,
    MicrophoneAudio,
    Mute,
    Outcome,
    Played,
    ReplyAudio,
    SessionOpened,
    State,
    StateChanged,
    TurnFinished,
)
from client.flinch import Flinch
from client.messages import tr
from client.reply_file import AudioFile
from client.resumption import News
from client.turns import Turns
from client.views.view import View
from services.common.tasks import cancel_and_wait, first_error

Heard = MicrophoneAudio | Mute
Work = Callable[["Session"], Awaitable[None]]
Companion = Callable[[], Awaitable[None]]
Observer = Callable[[Event], None]
_REPORT_EVERY_S = 0.1
_REST_S = 1.0  # where nothing is played there is nothing to report
_GOODBYE_S = 2.0  # how long the assistant may take to end a conversation


class AudioSource(Protocol):
    """Where the person's voice comes from."""

    @property
    def rate_hz(self) -> int:
        """Samples per second."""

    def messages(self) -> AsyncGenerator[Heard, None]:
        """What the assistant is to hear, each message as soon as it was said; nothing while `Mute` says so."""


class Session:
    """Lives as long as its conversation."""

    def __init__(
        self,
        conversation: Conversation,
        view: View,
        player: Player,
        file: AudioFile | None,
        report_every_s: float = _REPORT_EVERY_S,
        observers: Sequence[Observer] = (),
    ) -> None:
        self.conversation = conversation
        self.view = view
        self.player = player
        self.turns = Turns()
        self.problems: list[str] = []
        self.is_muted = False  # the assistant was told that it hears nothing for now
        self._file = file
        self._report_every_s = report_every_s
        self._observers = observers  # who else wants to know, once it is shown
        self._flinch = Flinch(player)
        self._news = News()
        self._reported: Played | None = None
        self._heard_turn_id = ""  # whose audio came last
        self._report_now = asyncio.Event()
        self._last_trouble = ""

    async def run(self, drive: Work, *companions: Companion) -> None:
        """Converses as `drive` does, says goodbye after it, and raises what went wrong.

        The companions work beside it until it is over.
        """
        try:
            async with asyncio.TaskGroup() as group:
                reading = group.create_task(self._read(), name="reading")
                driving = group.create_task(_coroutine(drive(self)), name="driving")
                always = (self._report_always, self._flinch.run, *companions)
                beside = [group.create_task(_coroutine(work())) for work in always]
                await asyncio.wait((reading, driving), return_when=asyncio.FIRST_COMPLETED)
                if not driving.done():
                    raise CommandError(tr("the assistant ended the conversation; start anew to go on"))
                await self._say_goodbye(reading)
                for task in (reading, *beside):
                    task.cancel()
        except BaseExceptionGroup as group_error:
            raise first_error(group_error) from None
        finally:
            self._tell_unsent()
        if Outcome.LOST in self.turns.outcomes.values():
            self.problems.append(tr("the connection was lost, and the end of a reply with it"))

    async def _say_goodbye(self, reading: "asyncio.Task[None]") -> None:
        """Who leaves a reply wants silence, and nobody who leaves wants to wait."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_GOODBYE_S):
                if not self.turns.is_idle:
                    self.player.flush()
                    await self.conversation.give(Interrupt())
                await self.conversation.give(End())
                await asyncio.wait((reading,))

    def _tell_unsent(self) -> None:
        for text in self.conversation.unsent_texts():
            self.view.note(tr("not sent: {text}", text=text))
            self.problems.append(tr("a typed line was lost with the connection"))

    async def feed(self, source: AudioSource) -> None:
        """Lets the assistant hear the source. Ends when the source does."""
        async with aclosing(source.messages()) as messages:
            async for heard in messages:
                await self.hear(heard)

    async def hear(self, heard: Heard) -> None:
        """Lets the assistant hear this, or nothing for now."""
        if isinstance(heard, Mute):
            self.is_muted = heard.muted
        await self.conversation.give(heard)

    async def feed_while(self, source: AudioSource, work: Awaitable[None]) -> None:
        """Feeds the source until the work is done."""
        feeding = asyncio.create_task(self.feed(source), name="feeding")
        working = asyncio.create_task(_coroutine(work), name="what it is fed for")
        try:
            await asyncio.wait((feeding, working), return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                feeding.result()  # raises what broke it off; where the source only ended, the work goes on
            await working
        finally:
            await cancel_and_wait(feeding, working)

    def startle(self) -> None:
        """Somebody seems to speak into the reply; the assistant will tell whether it is so."""
        if self._flinch.startle():
            self._report_now.set()

    async def settled(self) -> None:
        """Waits until no turn goes on and its reply was played, and reports so."""
        await self.turns.until(lambda: self.turns.is_idle)
        await self.player.drained()
        await self._report()

    async def _read(self) -> None:
        async with aclosing(self.conversation.events()) as events:
            async for event in events:
                await self._hear(event)  # first: the loudspeaker must be quick to yield
                self._take_note(event)
                if (news := self._news.of(event)) is not None:
                    self.view.show(news)
                self.turns.observe(event)
                for observe in self._observers:
                    observe(event)

    async def _hear(self, event: Event) -> None:
        match event.what:
            case SessionOpened(output_rate_hz=int(rate_hz), resumed=False):
                self.player.open(rate_hz)
                if self._file is not None:
                    self._file.open(rate_hz)
            case ReplyAudio() as reply:
                await self._play(event.turn_id, reply)
            case StateChanged(state, hold):
                self._heed(event.turn_id, state, hold)
            case Interrupted():
                self.player.flush()
                self._report_now.set()

    def _heed(self, turn_id: str, state: State, hold: Hold | None) -> None:
        if self.turns.is_resuming and (state is State.LISTENING or turn_id != self._heard_turn_id):
            self.player.flush()  # the reply that is being heard ended while the connection was lost
        self._flinch.heed(state)
        if state is not State.YIELDING:
            self.player.go_on()
        elif hold is Hold.DUCK:
            self.player.duck()
        else:
            self.player.pause()
            self._report_now.set()

    async def _play(self, turn_id: str, reply: ReplyAudio) -> None:
        reported = self._reported
        if reported is not None and turn_id == reported.turn_id and reply.first_sample < reported.samples:
            self._reported = None  # what comes again was reported while nobody listened, or before it counted as sent
        self._heard_turn_id = turn_id
        if not self.player.is_playing():
            self._report_now.set()  # it rested
        await self.player.play(turn_id, reply)
        if self._file is not None:
            self._file.write(self._news.audio(turn_id, reply))

    def _take_note(self, event: Event) -> None:
        match event.what:
            case Degraded(stage, _, message):
                self._last_trouble = f"{stage}: {message}"
            case TurnFinished(Outcome.FAILED):
                why = self._last_trouble or tr("the assistant did not say why")
                self.problems.append(tr("a turn failed ({why})", why=why))

    async def _report_always(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._report_every_s if self.player.is_playing() else _REST_S):
                    await self._report_now.wait()
            self._report_now.clear()
            await self._report()

    async def _report(self) -> None:
        played = self.player.played()
        if played is not None and played != self._reported:
            self._reported = played
            await self.conversation.give(played)


async def _coroutine(work: Awaitable[None]) -> None:
    await work
