"""What a person does in a conversation: speaks a recording, types lines, or talks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

from client.audio.half_duplex import HalfDuplex
from client.audio.wav_source import WavSource
from client.events import Mute, TypedText
from client.session import AudioSource, Session
from client.typed import typed_lines

_AFTER_A_TURN_S = 2.0  # what may still be understood of a recording whose first turn ended before it did
_STAY_S = 60.0  # the assistant ends a conversation in which nothing at all comes for some minutes
_MAX_TYPED = 4000  # characters; the protocol's limit


async def speak(session: Session, source: WavSource, patience_s: float) -> None:
    """Speaks the recording and listens to the reply."""
    await session.feed_while(source, _answered(session, source, patience_s))
    if not session.turns.outcomes:
        session.problems.append(f"nothing was understood of the recording within {patience_s:g} s after its end")


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


async def speak_then_type(session: Session, question: WavSource, patience_s: float) -> None:
    """Without a microphone: the recorded question first, then a turn for each line that is typed."""
    await speak(session, question, patience_s)
    await session.conversation.give(Mute(muted=True))  # the voice does not come back
    staying = asyncio.create_task(_stay(session), name="staying")
    try:
        async with aclosing(typed_lines()) as lines:
            await _type(session, lines)
    finally:
        staying.cancel()
        await asyncio.wait((staying,))


async def _type(session: Session, lines: AsyncIterator[str]) -> None:
    session.view.ask_for_text()
    async for line in lines:
        if len(line) > _MAX_TYPED:
            session.view.note(f"not sent: {len(line)} characters, the limit is {_MAX_TYPED}")
        else:
            await _take_turn(session, line)
        session.view.ask_for_text()


async def _take_turn(session: Session, line: str) -> None:
    await session.turns.until(lambda: not session.turns.is_resuming)  # so a gap that follows concerns this line
    turns, gaps = len(session.turns.outcomes), session.turns.gaps
    await session.conversation.give(TypedText(line))
    await session.turns.until(lambda: len(session.turns.outcomes) > turns or session.turns.gaps > gaps)
    await session.settled()
    if len(session.turns.outcomes) == turns:
        session.view.note("not answered: the connection was lost; type it again")
        session.problems.append("a typed line was lost with the connection")


async def _stay(session: Session) -> None:
    """Says now and then that somebody is still there, who only thinks before typing."""
    while True:
        await asyncio.sleep(_STAY_S)
        await session.conversation.give(Mute(muted=True))


async def talk(session: Session, microphone: AudioSource, *, half_duplex: bool) -> None:
    """Talks until the person has had enough."""
    if half_duplex:
        await session.feed(microphone, deaf=HalfDuplex(session.player.is_playing).is_deaf)
    else:
        await session.feed(microphone)
