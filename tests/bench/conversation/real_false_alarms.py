"""Whether a reply goes on when real ears hear what is no interruption: noises, and what listeners say."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.bench.conversation import false_alarms
from tests.bench.conversation.false_alarms import FalseAlarm
from tests.bench.conversation.overheard import Witness
from tests.bench.conversation.real_interruptions import begin_reply, stop_replies
from tests.bench.conversation.replies import Current, is_over
from tests.bench.conversation.utterances import Utterance
from tests.bench.figures import Rows
from tests.support.conversing import Caller

_INTO_S = (0.3, 1.5)
_WATCH_S = 1.5  # after what was said: its end is found and judged long before
_REPLY_S = 20.0  # its speech is twice as long: nothing ends by itself while it is watched


@dataclass(frozen=True)
class RealFalseAlarm:
    """What became of the reply, and what the ears heard."""

    seen: FalseAlarm
    words: str


async def alarm_all(
    caller: Caller, witness: Witness, said: Sequence[Utterance], numbers: Iterator[int], chance: random.Random
) -> list[RealFalseAlarm]:
    """Says them into replies, each of which is spoken into for a while."""
    found = []
    current, begun_at = await begin_reply(caller, next(numbers)), time.monotonic()
    for utterance in said:
        if is_over(caller, current) or time.monotonic() > begun_at + _REPLY_S:
            await stop_replies(caller)
            current, begun_at = await begin_reply(caller, next(numbers)), time.monotonic()
        await asyncio.sleep(chance.uniform(*_INTO_S))
        found.append(await alarm(caller, witness, current, utterance))
    return found


async def alarm(caller: Caller, witness: Witness, current: Current, utterance: Utterance) -> RealFalseAlarm:
    """What becomes of the reply when this is said into it."""
    since = len(caller.told)
    spoken = await caller.say(utterance.samples)
    await asyncio.sleep(_WATCH_S)
    await witness.silence()
    return RealFalseAlarm(
        false_alarms.seen(caller.told[since:], current, utterance.kind), witness.words(spoken.began_at)
    )


def rows(found: Sequence[RealFalseAlarm]) -> Rows:
    """As of any false alarms, and what each kind was heard as."""
    table = false_alarms.rows([one.seen for one in found])
    for row in table:
        heard = Counter(one.words or "(nothing)" for one in found if one.seen.text == row["said into a reply"])
        row["heard as"] = ", ".join(f"{words} {times}x" for words, times in heard.most_common(3))
    return table
