"""The protocol as it is gone through: each sentence is said, heard and answered, and what came of it is kept."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Protocol

from client.messages import tr
from client.session import AudioSource, Session
from client.validation.notes import Notes, joined
from client.validation.record import Take
from client.validation.steps import Saying
from client.validation.word_errors import word_errors

_AFTER_A_TURN_S = 2.0  # what may still be understood of a sentence whose first turn was over before it was
_INTO_REPLY_S = 1.0  # the assistant is in the middle of it, as when people interrupt


class Voice(Protocol):
    """Who says the sentences: a person at a microphone, or recordings."""

    @property
    def source(self) -> AudioSource:
        """What the assistant hears of it; silence in between."""

    async def say(self, saying: Saying) -> None:
        """Begins to say it; a recording was said to its end when this returns."""

    async def done(self) -> None:
        """It was said and answered."""

    async def again(self, saying: Saying) -> bool:
        """Nothing was understood: whether it is to be said once more."""


class Examination:
    """Goes through the sentences once. `takes` grows as it goes, so that nothing is lost when it is broken off."""

    def __init__(
        self, notes: Notes, language_code: str, patience_s: float, into_reply_s: float = _INTO_REPLY_S
    ) -> None:
        self.takes: list[Take] = []
        self._notes = notes
        self._language_code = language_code
        self._patience_s = patience_s
        self._into_reply_s = into_reply_s

    async def run(self, session: Session, voice: Voice, sayings: Sequence[Saying]) -> None:
        """Lets the assistant hear the voice until all was said."""
        await session.feed_while(voice.source, self._say_all(session, voice, sayings))

    async def _say_all(self, session: Session, voice: Voice, sayings: Sequence[Saying]) -> None:
        for saying, interruption in _pairs(sayings):
            await self._take(session, voice, saying, interruption)

    async def _take(self, session: Session, voice: Voice, saying: Saying, interruption: Saying | None) -> None:
        self._notes.begin()
        attempts = await self._say(session, voice, saying)
        asked = await self._interrupt(session, voice, interruption) if interruption is not None else None
        await session.turns.until(lambda: session.turns.is_idle)
        await session.settled()
        await voice.done()
        if interruption is None:
            self._keep(saying, self._notes.turn_ids, attempts)
        elif asked is None:
            silence = tr("no reply was to be heard, so nothing was said into it")
            self._keep(saying, self._notes.turn_ids, attempts, silence)
        else:
            self._keep(saying, asked, attempts)
            rest = tuple(turn_id for turn_id in self._notes.turn_ids if turn_id not in asked)
            self._keep(interruption, rest, attempts=1)

    async def _say(self, session: Session, voice: Voice, saying: Saying) -> int:
        """Until something of it was understood, or nobody tries any more. How often it was said."""
        attempts = 1
        await voice.say(saying)
        while not await self._is_answered(session) and await voice.again(saying):
            attempts += 1
            await voice.say(saying)
        return attempts

    async def _is_answered(self, session: Session) -> bool:
        """Waits for a turn to begin, or until none is to be expected any more."""
        ended = len(session.turns.outcomes)
        limit_s = _AFTER_A_TURN_S if self._notes.turn_ids else self._patience_s
        with suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                await session.turns.until(lambda: not session.turns.is_idle or len(session.turns.outcomes) > ended)
        return bool(self._notes.turn_ids)

    async def _interrupt(self, session: Session, voice: Voice, saying: Saying) -> tuple[str, ...] | None:
        """Speaks into the reply; which turns were there before. None where there was no reply to speak into."""
        await session.turns.until(lambda: self._notes.is_replying or session.turns.is_idle)
        asked = self._notes.turn_ids
        if not self._notes.is_replying:
            return None
        await asyncio.sleep(self._into_reply_s)
        await voice.say(saying)
        with suppress(TimeoutError):
            async with asyncio.timeout(self._patience_s):
                await session.turns.until(lambda: self._is_interruption_over(session, asked))
        return asked

    def _is_interruption_over(self, session: Session, asked: tuple[str, ...]) -> bool:
        """Whether it began a turn of its own, or can begin none: the reply ended by itself."""
        if len(self._notes.turn_ids) > len(asked):
            return True
        return session.turns.is_idle and not self._notes.was_interrupted

    def _keep(self, saying: Saying, turn_ids: tuple[str, ...], attempts: int, *problems: str) -> None:
        turns = self._notes.turns(turn_ids)
        understood = joined(turns)
        take = Take(
            name=saying.name,
            step=saying.step,
            sentence=saying.sentence,
            understood=understood,
            word_errors=word_errors(saying.sentence, understood, self._language_code),
            turns=turns,
            attempts=attempts,
            interruption=self._notes.interruption() if saying.interrupts else None,
            problems=(*self._notes.problems, *problems),
        )
        self.takes.append(take)


def _pairs(sayings: Sequence[Saying]) -> Iterator[tuple[Saying, Saying | None]]:
    """Each sentence with the one that is to be said into its reply."""
    for saying, following in zip(sayings, (*sayings[1:], None), strict=True):
        if not saying.interrupts:
            yield saying, following if following is not None and following.interrupts else None
