"""One connection of a session's client: its messages and what the microphone hears in, events out."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from services.common.errors import CallAbortedError, UnavailableError
from services.common.tasks import cancel_and_wait, first_error
from services.orchestrator.events import Degraded, Event, SessionOpened, UserTranscript
from services.orchestrator.inputs import ClientInput, End, Interrupt, MicrophoneAudio, Played, SetMuted, TypedText
from services.orchestrator.microphone import EarsBack, EarsFailed, Microphone, PartialHeard
from services.orchestrator.outbox import Outbox
from services.orchestrator.ports import Stage
from services.orchestrator.reply_maker import ConversationOptions
from services.orchestrator.resources import Resources
from services.orchestrator.session import Session
from services.orchestrator.turn_events import EarsLost, EndAsked, InterruptAsked, Said, State, TimePassed, Typed

# Of a client that was lost gRPC first tells that no more requests come, as of one that has closed its side, and a
# moment later (0.3 ms at most were measured) that it is gone. Only that one may come back.
_GONE_S = 0.05


class Conversation:
    """Lives as long as its stream."""

    def __init__(self, session: Session, resources: Resources, options: ConversationOptions) -> None:
        self._session = session
        self._resources = resources
        self._options = options
        self._microphone: Microphone | None = None
        if options.input_rate_hz:
            ears, clock = resources.stages.ears, resources.clock
            self._microphone = Microphone(ears, options.input_rate_hz, options.language_code, clock)
            self._microphone.take(SetMuted(session.is_muted))
        self._outbox = Outbox()
        self._driver: asyncio.Task[None] | None = None
        self._has_ended = False
        self._was_asked_to_end = False  # by the client

    async def events(self, inputs: AsyncIterator[ClientInput], opened: SessionOpened) -> AsyncGenerator[Event, None]:
        """Everything to tell the client, until the session is over or this connection is."""
        if self._has_ended:
            raise CallAbortedError("the session goes on over another connection")
        outbox = self._outbox = self._session.connect(self._options, opened)
        self._driver = asyncio.create_task(self._drive(inputs), name=f"conversation {self._session.session_id}")
        try:
            async for event in outbox.events():
                yield event
        finally:
            await self.end()

    async def end(self, error: BaseException | None = None) -> None:
        """Ends it; whoever reads its events gets the error. Also where the client does not read."""
        self._has_ended = True
        self._outbox.end(error)
        try:
            if self._driver is not None:  # before anything else: nothing may come in any more
                await cancel_and_wait(self._driver)
        finally:
            self._session.disconnect(self._outbox)

    async def _drive(self, inputs: AsyncIterator[ClientInput]) -> None:
        error: BaseException | None = None
        try:
            async with asyncio.TaskGroup() as group:
                await self._work_until_over(group, inputs)
            if self._resources.draining.is_set() and not self._was_asked_to_end:
                error = UnavailableError(
                    "the service is going down; the session may go on elsewhere", reason="DRAINING"
                )
        except BaseExceptionGroup as several:
            error = first_error(several)
        self._outbox.end(error)

    async def _work_until_over(self, group: asyncio.TaskGroup, inputs: AsyncIterator[ClientInput]) -> None:
        tasks = [
            group.create_task(self._read(inputs)),
            group.create_task(self._keep_time()),
            group.create_task(self._end_when_draining()),
        ]
        if self._microphone is not None:
            tasks.append(group.create_task(self._hear(self._microphone)))
        await self._session.over.wait()
        for task in tasks:
            task.cancel()

    async def _read(self, inputs: AsyncIterator[ClientInput]) -> None:
        async for item in inputs:
            self._take(item)
        await asyncio.sleep(_GONE_S)
        self._session.no_more_reports()
        self._was_asked_to_end = True
        self._end_input()

    def _take(self, item: ClientInput) -> None:
        match item:
            case MicrophoneAudio() | SetMuted():
                self._to_microphone(item)
            case TypedText(text):
                self._session.step(Typed(Said(text, typed=True, said_at=self._resources.clock())))
            case Played(turn_id, samples):
                self._session.played(turn_id, samples)
            case Interrupt():
                self._session.step(InterruptAsked())
            case End():
                self._was_asked_to_end = True
                self._end_input()

    def _to_microphone(self, item: MicrophoneAudio | SetMuted) -> None:
        if isinstance(item, SetMuted):
            self._session.is_muted = item.muted  # also after a lost connection
        if self._microphone is not None:
            self._microphone.take(item)

    def _end_input(self) -> None:
        """What was said until now is still heard and answered."""
        if self._microphone is not None:
            self._microphone.end()
        else:
            self._session.step(EndAsked())

    async def _hear(self, microphone: Microphone) -> None:
        async with aclosing(microphone.heard()) as events:
            async for event in events:
                match event:
                    case EarsFailed(error, lost_words):
                        self._session.tell(Degraded(Stage.STT, error.detailed_reason, error.message))
                        lost = Said("", said_at=self._resources.clock(), was_lost=True) if lost_words else None
                        self._session.step(EarsLost(lost))
                    case EarsBack():
                        pass  # the next words will show it
                    case PartialHeard():
                        self._tell_partial(event)
                        self._session.step(self._session.hearing.understand(event))
                    case _:
                        self._session.step(self._session.hearing.understand(event))
        self._session.step(EarsLost())
        self._session.step(EndAsked())

    def _tell_partial(self, event: PartialHeard) -> None:
        """What is agreed on; the words that may change are for our own decisions."""
        heard = event.heard
        if not self._options.interim_results or self._session.state not in (State.LISTENING, State.YIELDING):
            return
        if text := self._session.hearing.without_echo(heard.text):
            self._session.tell(UserTranscript(text, False, heard.stability, heard.language_code))

    async def _keep_time(self) -> None:
        """Tells the machine when its deadline has come."""
        while True:
            deadline, self._session.stepped = self._session.deadline, asyncio.Event()
            wait_s = None if deadline is None else max(0.0, deadline - self._resources.clock())
            try:
                async with asyncio.timeout(wait_s):
                    await self._session.stepped.wait()
            except TimeoutError:
                self._session.step(TimePassed())

    async def _end_when_draining(self) -> None:
        await self._resources.draining.wait()
        self._end_input()
