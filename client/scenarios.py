"""What a person does in a conversation: speaks a recording, types lines, or talks."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing

from client.audio.capture import Capture
from client.audio.levels import Levels
from client.audio.wav_source import WavSource
from client.desk import Desk
from client.events import Mute, TypedText
from client.gates import MutableGate
from client.messages import tr
from client.session import Session
from client.typed import typed_lines
from client.typed_commands import obey

_AFTER_A_TURN_S = 2.0  # what may still be understood of a recording whose first turn ended before it did
_MOST_WAITING = 10  # typed turns; what is beyond waits in the pipe, and so do commands behind it
_STAY_S = 60.0  # the assistant ends a conversation in which nothing at all comes for some minutes

Person = Callable[[], Awaitable[None]]  # acts on a view, and leaves


async def speak(session: Session, source: WavSource, patience_s: float) -> None:
    """Speaks the recording and listens to the reply."""
    await session.feed_while(source, _answered(session, source, patience_s))
    if not session.turns.outcomes:
        problem = tr("nothing was understood of the recording within {seconds:g} s after its end", seconds=patience_s)
        session.problems.append(problem)


async def _answered(session: Session, source: WavSource, patience_s: float) -> None:
    """Waits until the recording was given and answered, or nothing is to be expected any more.

    The source goes on with silence meanwhile, as a microphone would: the end of what was said is to be heard in it.
    """
    await source.finished.wait()
    while session.turns.is_idle:
        limit_s = _AFTER_A_TURN_S if session.turns.outcomes else patience_s
        try:
            async with asyncio.timeout(limit_s):
                await session.turns.next_event()
        except TimeoutError:
            break
    await session.settled()


class PatientDesk(Desk):
    """Without a microphone: a turn that is typed waits until the reply to the one before it is over."""

    def __init__(self, session: Session, gate: MutableGate, levels: Levels) -> None:
        super().__init__(session, gate, levels)
        self.waiting: asyncio.Queue[str | None] = asyncio.Queue(_MOST_WAITING)  # None: no more comes

    async def take_turn(self, text: str) -> None:
        """Soon."""
        await self.waiting.put(text)


async def speak_then_type(session: Session, question: WavSource, patience_s: float, desk: PatientDesk) -> None:
    """Without a microphone: the recorded question first, then a turn for each line that is typed."""
    await speak(session, question, patience_s)
    await session.hear(Mute(muted=True))  # the voice does not come back
    async with asyncio.TaskGroup() as group, aclosing(typed_lines()) as lines:
        group.create_task(_take_turns(session, desk.waiting), name="typed turns")
        await _type(session, desk, lines)


async def speak_then_converse(session: Session, question: WavSource, patience_s: float, person: Person) -> None:
    """The same with a person at a view, who may leave at any time."""

    async def ask_and_mute() -> None:
        await speak(session, question, patience_s)
        await session.hear(Mute(muted=True))

    async with asyncio.TaskGroup() as group:
        asking = group.create_task(ask_and_mute(), name="the recorded question")
        await person()
        asking.cancel()


async def _type(session: Session, desk: PatientDesk, lines: AsyncIterator[str]) -> None:
    session.view.ask_for_text()
    async for line in lines:
        await _obey(session, desk, line)
        if desk.waiting.empty() and session.turns.is_idle:
            session.view.ask_for_text()
    await desk.waiting.put(None)


async def _obey(session: Session, desk: Desk, line: str) -> None:
    if problem := await obey(line, desk):
        session.view.note(problem)


async def _take_turns(session: Session, waiting: "asyncio.Queue[str | None]") -> None:
    while (line := await waiting.get()) is not None:
        await _take_turn(session, line)
        session.view.ask_for_text()


async def _take_turn(session: Session, line: str) -> None:
    await session.turns.until(lambda: not session.turns.is_resuming)  # so a gap that follows concerns this line
    turns, gaps = len(session.turns.outcomes), session.turns.gaps
    await session.conversation.give(TypedText(line))
    await session.turns.until(lambda: len(session.turns.outcomes) > turns or session.turns.gaps > gaps)
    await session.settled()
    if len(session.turns.outcomes) == turns:
        session.view.note(tr("not answered: the connection was lost; type it again"))
        session.problems.append(tr("a typed line was lost with the connection"))


async def talk(session: Session, microphone: Capture, person: Person) -> None:
    """Talks until the person has had enough."""
    microphone.when_spoken_into = session.startle
    await session.feed_while(microphone, person())


async def type_beside(session: Session, desk: Desk) -> None:
    """Who talks may type as well, for as long as there is something to read; never leaves."""
    async with aclosing(typed_lines()) as lines:
        async for line in lines:
            await _obey(session, desk, line)
    await asyncio.Event().wait()


async def stay(session: Session) -> None:
    """Says now and then that somebody is still there, who only thinks before typing, or is not heard for now."""
    while True:
        await asyncio.sleep(_STAY_S)
        if session.is_muted:
            await session.conversation.give(Mute(muted=True))
