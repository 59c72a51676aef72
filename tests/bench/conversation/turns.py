"""Turns as a client sees them, one after the other and in several conversations at once."""

import asyncio
import random
import time
from dataclasses import dataclass

from superwhisper.assistant.v1 import assistant_pb2 as pb
from tests.bench.conversation.sayings import Saying, Sayings
from tests.support.conversing import Caller, Matches, conversing, kind_is
from tests.support.microphone import Spoken

ANSWER_BOUND_S = 15.0  # who is not answered by then is not answered
REPLY_BOUND_S = 120.0
_BETWEEN_S = (0.1, 0.5)  # turns


@dataclass(frozen=True)
class Asked:
    """A question and what came of it."""

    number: int
    spoken: Spoken
    turn_id: str = ""  # empty where it was not answered
    began_at: float = 0.0
    first_audio_at: float | None = None
    finished: pb.TurnFinished | None = None

    @property
    def was_missed(self) -> bool:
        """Nobody answered it."""
        return not self.turn_id

    @property
    def was_cut_off(self) -> bool:
        """It was answered before it was over."""
        return bool(self.turn_id) and self.began_at < self.spoken.ended_at

    @property
    def is_good(self) -> bool:
        """It was answered in full, when it was over."""
        completed = self.finished is not None and self.finished.outcome == pb.TURN_OUTCOME_COMPLETED
        return completed and self.first_audio_at is not None and not self.was_cut_off

    @property
    def timings(self) -> dict[str, float]:
        """What the orchestrator tells of its stages."""
        return {} if self.finished is None else {key.name: value for key, value in self.finished.timings.ListFields()}

    @property
    def voice_to_voice_ms(self) -> float:
        """From the last sample that was sent to the first that came back; NaN where none did."""
        if self.first_audio_at is None:
            return float("nan")
        return (self.first_audio_at - self.spoken.ended_at) * 1000


@dataclass(frozen=True)
class Run:
    """Conversations that went on at the same time."""

    conversations: int
    asked: list[Asked]
    took_s: float

    @property
    def good(self) -> list[Asked]:
        """The turns whose times count."""
        return [one for one in self.asked if one.is_good]


async def run(address: str, sayings: Sayings, conversations: int, turns: int, speed: float = 1.0) -> Run:
    """So many conversations at once, of so many turns each. `speed`: that of the loudspeakers."""
    began = time.monotonic()
    of_all = await asyncio.gather(
        *(_converse(address, sayings, turns, speed, random.Random(seed)) for seed in range(conversations))
    )
    return Run(conversations, [asked for own in of_all for asked in own], time.monotonic() - began)


async def ask(caller: Caller, saying: Saying) -> Asked:
    """Says it, listens to the whole reply."""
    since = len(caller.told)
    spoken = await caller.say(saying.samples)
    try:
        turn = await caller.until(lambda told: bool(told.turn_id), since, ANSWER_BOUND_S)
        answer = await caller.until(_is_answer(turn.turn_id), since, ANSWER_BOUND_S)
        finished = await caller.turn_end(turn.turn_id, REPLY_BOUND_S)
    except TimeoutError:
        return Asked(saying.number, spoken)
    first_audio_at = answer.at if answer.kind == "reply_audio" else None
    return Asked(saying.number, spoken, turn.turn_id, turn.at, first_audio_at, finished)


async def _converse(address: str, sayings: Sayings, turns: int, speed: float, chance: random.Random) -> list[Asked]:
    asked = []
    async with conversing(address, speed=speed) as caller:
        for _ in range(turns):
            await asyncio.sleep(chance.uniform(*_BETWEEN_S))
            asked.append(await ask(caller, sayings.question()))
    return asked


def _is_answer(turn_id: str) -> Matches:
    audio, finished = kind_is("reply_audio", turn_id), kind_is("turn_finished", turn_id)
    return lambda told: audio(told) or finished(told)
