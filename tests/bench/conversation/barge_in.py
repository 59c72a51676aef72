"""How fast the assistant falls silent when somebody speaks into its reply, and whether its engines do.

The speech begins when the message with its first sample is sent, which is 20 ms after that sample was recorded.
"""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass

from superwhisper.assistant.v1 import assistant_pb2 as pb
from tests.bench.conversation.engines import Speeds
from tests.bench.conversation.replies import Current, begin, is_over, next_reply
from tests.bench.conversation.sayings import Sayings
from tests.bench.conversation.turns import ANSWER_BOUND_S
from tests.bench.conversation.voice_to_voice import percentiles
from tests.bench.figures import Rows
from tests.fakes.scripted_services.records import Record
from tests.fakes.scripted_services.script import MindSpeed
from tests.support.conversing import Caller, Told, conversing, kind_is

# A reply that is still being written and spoken whenever somebody speaks into it.
LONG_REPLIES = Speeds(mind=MindSpeed(tokens_per_s=12, reply_tokens=120))
_INTO_S = (0.3, 4.0)  # after its first audio


@dataclass(frozen=True)
class Interruption:
    """What became of a reply that was spoken into. Moments are the client's; None where that did not happen."""

    reply: Current
    number: int  # of what was said
    onset_at: float  # its first sample was sent
    yielded_at: float | None
    interrupted_at: float | None
    last_audio_at: float  # the onset, where none came after it
    late_chunks: int


async def run(address: str, sayings: Sayings, conversations: int, times: int) -> list[Interruption]:
    """So many interruptions, shared by so many conversations."""
    shares = [times // conversations + (index < times % conversations) for index in range(conversations)]
    of_all = await asyncio.gather(
        *(_converse(address, sayings, share, random.Random(seed)) for seed, share in enumerate(shares) if share)
    )
    return [one for own in of_all for one in own]


def rows(found: Sequence[Interruption], records: Sequence[Record]) -> Rows:
    """What the client saw, and what the engines recorded."""
    done = [one for one in found if one.interrupted_at is not None]
    began = {record.number: record.moments["started"] for record in records if record.stage == "stt"}
    measured = {
        "last chunk of the reply": [one.last_audio_at - one.onset_at for one in done],
        "  since the ears told of the speech": [
            max(0.0, one.last_audio_at - began[one.number]) for one in done if one.number in began
        ],
        "the assistant yields": [one.yielded_at - one.onset_at for one in done if one.yielded_at is not None],
        "`interrupted`": [one.interrupted_at - one.onset_at for one in done if one.interrupted_at is not None],
        "end of the mind's call, since `interrupted`": _ends(done, "llm", records),
        "end of the mouth's call, since `interrupted`": _ends(done, "tts", records),
    }
    counted: Rows = [
        {"since the first sample of the speech, ms": "interrupted", "times": f"{len(done)} of {len(found)}"},
        {
            "since the first sample of the speech, ms": "chunks after `interrupted`",
            "times": sum(one.late_chunks for one in found),
        },
    ]
    return [*(_row(name, seconds) for name, seconds in measured.items()), *counted]


async def _converse(address: str, sayings: Sayings, times: int, chance: random.Random) -> list[Interruption]:
    found: list[Interruption] = []
    async with conversing(address) as caller:
        current = await begin(caller, sayings.question())
        while len(found) < times:
            await asyncio.sleep(chance.uniform(*_INTO_S))
            if is_over(caller, current):  # too late
                current = await begin(caller, sayings.question())
                continue
            one, current = await _interrupt(caller, current, sayings)
            found.append(one)
    return found


async def _interrupt(caller: Caller, current: Current, sayings: Sayings) -> tuple[Interruption, Current]:
    """What became of the reply, and the next one."""
    since, saying = len(caller.told), sayings.interruption()
    spoken = await caller.say(saying.samples)
    try:
        await caller.until(kind_is("turn_finished", current.turn_id), since, ANSWER_BOUND_S)
        following = await next_reply(caller, saying, since, current)
    except TimeoutError:  # not interrupted, or not answered: counted as what it is, and begun anew
        await caller.interrupt()
        following = await begin(caller, sayings.question())
    # Only now, so that chunks that came too late are among them.
    return seen(caller.told[since:], current, saying.number, spoken.began_at), following


def seen(told: Sequence[Told], reply: Current, number: int, onset_at: float) -> Interruption:
    """What became of the reply, by what the client was told after somebody began to say the sentence."""
    interrupted = [one.at for one in told if kind_is("interrupted", reply.turn_id)(one)]
    yielded = [one.at for one in told if one.response.state.state == pb.ASSISTANT_STATE_YIELDING]
    audio = [one.at for one in told if kind_is("reply_audio", reply.turn_id)(one)]
    return Interruption(
        reply=reply,
        number=number,
        onset_at=onset_at,
        yielded_at=yielded[0] if yielded else None,
        interrupted_at=interrupted[0] if interrupted else None,
        last_audio_at=max(audio, default=onset_at),
        late_chunks=sum(1 for at in audio if interrupted and at > interrupted[0]),
    )


def _ends(done: Sequence[Interruption], stage: str, records: Sequence[Record]) -> list[float]:
    """How long calls went on that were at work; less than 0 where they ended before the client was told."""
    cancelled = {
        record.number: record.moments["ended"]
        for record in records
        if record.stage == stage and record.outcome == "cancelled"
    }
    return [
        cancelled[one.reply.number] - one.interrupted_at
        for one in done
        if one.interrupted_at is not None and one.reply.number in cancelled
    ]


def _row(name: str, seconds: Sequence[float]) -> dict[str, object]:
    milliseconds = [value * 1000 for value in seconds]
    return {"since the first sample of the speech, ms": name, "times": len(seconds), **percentiles(milliseconds)}
