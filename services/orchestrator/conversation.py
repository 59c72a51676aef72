"""One conversation: the I/O shell around the turn machine. Client messages and stages in, events for the client out."""

import asyncio
import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass

from services.common.tasks import cancel_and_wait, first_error
from services.orchestrator.events import (
    Degraded,
    Event,
    Interrupted,
    Outcome,
    ReplyAudio,
    ReplyText,
    SessionOpened,
    StateEntered,
    Telling,
    Timings,
    TurnFinished,
    UserTranscript,
)
from services.orchestrator.history import History, HistoryLimits
from services.orchestrator.inputs import ClientInput, End, Interrupt, MicrophoneAudio, Played, SetMuted, TypedText
from services.orchestrator.metrics import PipelineMetrics
from services.orchestrator.microphone import EarsFailed, Microphone, UtteranceHeard
from services.orchestrator.ports import SpeechHeard, Stage, Stages, Voice
from services.orchestrator.reply import Reply, ReplyOrder
from services.orchestrator.turn import (
    AudioBegan,
    BeginTurn,
    CancelTurn,
    Effect,
    EndAsked,
    EndConversation,
    EnterState,
    Input,
    InterruptAsked,
    Said,
    State,
    TurnEnded,
    TurnMachine,
)

_UNREAD_REPLY_EVENTS = 64  # of a client that does not read: about two seconds of audio


@dataclass(frozen=True)
class ConversationOptions:
    """What one client wants."""

    input_rate_hz: int | None
    output_rate_hz: int | None
    language_code: str
    voice: str
    system_prompt: str
    interim_results: bool
    apology: str
    history: HistoryLimits
    ears_language_code: str  # empty: they find out, or take their own


class Conversation:
    """Lives as long as its stream."""

    def __init__(
        self, stages: Stages, options: ConversationOptions, metrics: PipelineMetrics, draining: asyncio.Event
    ) -> None:
        self._stages = stages
        self._options = options
        self._metrics = metrics
        self._draining = draining
        self._session_id = secrets.token_hex(8)
        self._machine = TurnMachine()
        self._history = History(options.system_prompt, options.history)
        self._outbox: asyncio.Queue[Event | None] = asyncio.Queue()
        self._places = asyncio.Semaphore(_UNREAD_REPLY_EVENTS)  # bounds what of a reply waits in the outbox
        self._microphone: Microphone | None = None
        if options.input_rate_hz:
            self._microphone = Microphone(stages.ears, options.input_rate_hz, options.ears_language_code)
        self._over = asyncio.Event()
        self._reply: Reply | None = None
        self._working: asyncio.Task[None] | None = None

    async def events(self, inputs: AsyncIterator[ClientInput]) -> AsyncGenerator[Event, None]:
        """Everything to tell the client, until the conversation is over."""
        driver = asyncio.create_task(self._drive(inputs), name=f"conversation {self._session_id}")
        driver.add_done_callback(lambda _task: self._outbox.put_nowait(None))
        try:
            while (event := await self._outbox.get()) is not None:
                yield event
                if _takes_place(event.telling):
                    self._places.release()
            await driver
        finally:
            await cancel_and_wait(driver)

    async def _drive(self, inputs: AsyncIterator[ClientInput]) -> None:
        options = self._options
        self._tell_now(SessionOpened(self._session_id, secrets.token_urlsafe(24), options.output_rate_hz))
        self._tell_now(StateEntered(State.LISTENING))
        try:
            async with asyncio.TaskGroup() as self._group:
                await self._work_until_over(inputs)
        except BaseExceptionGroup as group:
            raise first_error(group) from group

    async def _work_until_over(self, inputs: AsyncIterator[ClientInput]) -> None:
        start = self._group.create_task
        tasks = [start(self._read(inputs)), start(self._end_when_draining())]
        if self._microphone is not None:
            tasks.append(start(self._hear(self._microphone)))
        await self._over.wait()
        for task in tasks:
            task.cancel()

    async def _read(self, inputs: AsyncIterator[ClientInput]) -> None:
        async for item in inputs:
            self._take(item)
        self._end_input()

    def _take(self, item: ClientInput) -> None:
        match item:
            case MicrophoneAudio() | SetMuted():
                if self._microphone is not None:
                    self._microphone.take(item)
            case TypedText(text):
                self._step(Said(text, typed=True, said_at=time.monotonic()))
            case Played(turn_id, samples):
                if self._reply is not None and turn_id == self._machine.turn_id:
                    self._reply.played_samples = samples
            case Interrupt():
                self._step(InterruptAsked())
            case End():
                self._end_input()

    def _end_input(self) -> None:
        """What was said until now is still heard and answered."""
        if self._microphone is not None:
            self._microphone.end()
        else:
            self._step(EndAsked())

    async def _hear(self, microphone: Microphone) -> None:
        async with aclosing(microphone.heard()) as events:
            async for event in events:
                match event:
                    case SpeechHeard():
                        self._partial(event)
                    case UtteranceHeard(final, ended_at, decided_at):
                        timings = Timings(endpoint_ms=(decided_at - ended_at) * 1000)
                        said = Said(final.text, False, final.language_code, said_at=ended_at)
                        self._step(said, timings, final.backend)
                    case EarsFailed(error):
                        self._metrics.errors.labels(Stage.STT.value).inc()
                        self._tell_now(Degraded(Stage.STT, error.detailed_reason, error.message))
        self._step(EndAsked())

    def _partial(self, heard: SpeechHeard) -> None:
        if self._options.interim_results and self._machine.state is State.LISTENING:
            self._tell_now(UserTranscript(heard.text, False, heard.stability, heard.language_code))

    async def _end_when_draining(self) -> None:
        await self._draining.wait()
        self._step(EndAsked())

    def _step(self, event: Input, timings: Timings | None = None, stt: str = "") -> None:
        """Feeds the machine. Nothing is awaited here, so what it says is done before anything else happens."""
        for effect in self._machine.step(event):
            self._do(effect, timings or Timings(), stt)

    def _do(self, effect: Effect, timings: Timings, stt: str) -> None:
        match effect:
            case BeginTurn(turn_id, said):
                reply = self._prepare(said, timings, stt)
                # A task of its own, so that an interruption can end the reply and not what follows it.
                self._working = self._group.create_task(reply.run(), name=f"{turn_id} reply")
                self._group.create_task(self._turn(turn_id, said, reply, self._working), name=turn_id)
            case CancelTurn():
                if self._working is not None:
                    self._working.cancel()
            case EnterState(state):
                self._tell_now(StateEntered(state))
            case EndConversation():
                self._over.set()

    def _prepare(self, said: Said, timings: Timings, stt: str) -> Reply:
        timings.transcript_ms = (time.monotonic() - said.said_at) * 1000
        self._tell_now(UserTranscript(said.text, True, 1.0, said.language_code, said.typed))
        language = said.language_code or self._options.language_code
        rate_hz = self._options.output_rate_hz
        order = ReplyOrder(
            conversation_id=self._session_id,
            lines=self._history.prompt(said.text),
            language_code=language,
            voice=Voice(self._options.voice, language, rate_hz) if rate_hz else None,
            apology=self._options.apology,
        )
        backends = {Stage.STT: stt} if stt else {}
        self._reply = Reply(self._stages, order, self._tell, said.said_at, timings, backends)
        return self._reply

    async def _turn(self, turn_id: str, said: Said, reply: Reply, work: asyncio.Task[None]) -> None:
        """Waits for the reply, and ends the turn."""
        await asyncio.wait([work])
        outcome = Outcome.INTERRUPTED if work.cancelled() else reply.outcome
        if outcome is Outcome.INTERRUPTED:
            self._tell_now(Interrupted(reply.heard_text()))
        remembered = reply.heard_text() if outcome is Outcome.INTERRUPTED else reply.written_text()
        if remembered or outcome is not Outcome.FAILED:
            self._history.add(said.text, remembered)
        reply.timings.total_ms = (time.monotonic() - reply.began_at) * 1000
        self._metrics.turn_finished(outcome, reply.timings)
        self._tell_now(TurnFinished(outcome, reply.timings, reply.backends))
        self._step(TurnEnded(turn_id))

    async def _tell(self, telling: Telling) -> None:
        """Tells part of a reply, as soon as the client has read enough of what it was told before."""
        if _takes_place(telling):
            await self._places.acquire()
        if isinstance(telling, ReplyAudio):
            self._step(AudioBegan(self._machine.turn_id))
        if isinstance(telling, Degraded):
            self._metrics.errors.labels(telling.stage.value).inc()
        self._tell_now(telling)

    def _tell_now(self, telling: Telling) -> None:
        self._outbox.put_nowait(Event(self._machine.turn_id, telling))


def _takes_place(telling: Telling) -> bool:
    return isinstance(telling, ReplyText | ReplyAudio)
