"""Whether a reply goes on when what is said into it is no interruption: noises, and what listeners say."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass

from superwhisper.assistant.v1 import assistant_pb2 as pb
from tests.bench.conversation.replies import Current, begin, is_over
from tests.bench.conversation.sayings import Sayings
from tests.bench.conversation.voice_to_voice import percentiles
from tests.bench.figures import Rows
from tests.support.conversing import Told, conversing, kind_is

_INTO_S = (0.3, 1.5)
_WATCH_S = 1.5  # after what was said: its end is found and judged long before


@dataclass(frozen=True)
class FalseAlarm:
    """What became of the reply."""

    text: str
    was_interrupted: bool
    yielded_at: float | None
    went_on_at: float | None  # when it no longer yielded; more audio came after that

    @property
    def outcome(self) -> str:
        """In a word or two."""
        if self.was_interrupted:
            return "interrupted"
        if self.yielded_at is None:
            return "undisturbed"
        return "silent" if self.went_on_at is None else "resumed"


async def run(address: str, sayings: Sayings, conversations: int, times: int) -> list[FalseAlarm]:
    """So many false alarms, shared by so many conversations."""
    shares = [times // conversations + (index < times % conversations) for index in range(conversations)]
    of_all = await asyncio.gather(
        *(_converse(address, sayings, share, random.Random(seed)) for seed, share in enumerate(shares) if share)
    )
    return [one for own in of_all for one in own]


def rows(found: Sequence[FalseAlarm]) -> Rows:
    """A row for each thing said: how often the reply went on, and how long it was held."""
    by_text = {text: [one for one in found if one.text == text] for text in dict.fromkeys(one.text for one in found)}
    return [_row(text, some) for text, some in by_text.items()] + [_row("all", found)]


async def _converse(address: str, sayings: Sayings, times: int, chance: random.Random) -> list[FalseAlarm]:
    found: list[FalseAlarm] = []
    async with conversing(address) as caller:
        current = await begin(caller, sayings.question())
        while len(found) < times:
            await asyncio.sleep(chance.uniform(*_INTO_S))
            since, saying = len(caller.told), sayings.false_alarm()
            if not is_over(caller, current):
                await caller.say(saying.samples)
                await asyncio.sleep(_WATCH_S)
                found.append(seen(caller.told[since:], current, saying.name))
            if is_over(caller, current):
                current = await begin(caller, sayings.question())
    return found


def seen(told: Sequence[Told], reply: Current, text: str) -> FalseAlarm:
    """What became of the reply, by what the client was told since."""
    states = [one for one in told if one.kind == "state"]
    yielded = [one.at for one in states if one.response.state.state == pb.ASSISTANT_STATE_YIELDING]
    left = [one.at for one in states if yielded and one.at > yielded[0] and _is_at_work(one)]
    audio = [one.at for one in told if kind_is("reply_audio", reply.turn_id)(one)]
    went_on = bool(left) and bool(audio) and audio[-1] > left[0]
    return FalseAlarm(
        text=text,
        was_interrupted=any(kind_is("interrupted", reply.turn_id)(one) for one in told),
        yielded_at=yielded[0] if yielded else None,
        went_on_at=left[0] if went_on else None,
    )


def _is_at_work(told: Told) -> bool:
    return told.response.state.state in (pb.ASSISTANT_STATE_SPEAKING, pb.ASSISTANT_STATE_THINKING)


def _row(text: str, found: Sequence[FalseAlarm]) -> dict[str, object]:
    outcomes = [one.outcome for one in found]
    held_ms = [
        (one.went_on_at - one.yielded_at) * 1000
        for one in found
        if one.yielded_at is not None and one.went_on_at is not None
    ]
    counts = {name: outcomes.count(name) for name in ("resumed", "undisturbed", "interrupted", "silent")}
    return {"said into a reply": text, "times": len(found), **counts, "held, ms": percentiles(held_ms)}
