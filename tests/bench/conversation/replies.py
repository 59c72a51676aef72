"""Replies to speak into."""

from dataclasses import dataclass

from tests.bench.conversation.sayings import Saying
from tests.bench.conversation.turns import ANSWER_BOUND_S
from tests.support.conversing import Caller

_TRIES = 3


@dataclass(frozen=True)
class Current:
    """A reply that is being given, and the number of the sentence that it answers."""

    turn_id: str
    number: int


async def begin(caller: Caller, saying: Saying) -> Current:
    """Asks, again where nobody answers, and listens until the reply sounds."""
    for tries_left in reversed(range(_TRIES)):
        since = len(caller.told)
        await caller.say(saying.samples)
        try:
            return await next_reply(caller, saying, since)
        except TimeoutError:
            if not tries_left:
                raise
    raise AssertionError("unreachable: the last try returns or raises")


async def next_reply(caller: Caller, saying: Saying, since: int, former: Current | None = None) -> Current:
    """The reply to what was said, once it sounds."""
    known = former.turn_id if former is not None else ""
    audio = await caller.until(lambda told: told.kind == "reply_audio" and told.turn_id != known, since, ANSWER_BOUND_S)
    return Current(audio.turn_id, saying.number)


def is_over(caller: Caller, current: Current) -> bool:
    """Whether there is nothing left to speak into."""
    return bool(caller.of_turn(current.turn_id, "turn_finished"))
