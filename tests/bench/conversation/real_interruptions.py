"""How fast the assistant falls silent when real ears hear somebody speak into its reply."""

import asyncio
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from superwhisper.assistant.v1 import assistant_pb2 as pb
from tests.bench.conversation import barge_in
from tests.bench.conversation.barge_in import Interruption
from tests.bench.conversation.overheard import Witness
from tests.bench.conversation.replies import Current
from tests.bench.conversation.turns import ANSWER_BOUND_S
from tests.bench.conversation.utterances import Utterance
from tests.bench.conversation.voice_to_voice import percentiles
from tests.bench.figures import Rows
from tests.fakes.scripted_services.records import Record
from tests.fakes.scripted_services.script import sentence
from tests.support.conversing import Caller, Told, kind_is

_INTO_S = (0.3, 2.0)  # after a reply's first audio


@dataclass(frozen=True)
class RealInterruption:
    """What became of a reply that was spoken into, and when the ears had told of the speech, if they did."""

    utterance: Utterance
    seen: Interruption
    told_at: float | None
    went_on: bool  # for a moment, before it was interrupted
    understood: str

    @property
    def is_right(self) -> bool:
        """Whether all that was said is what is answered."""
        return self.understood.strip(" .?!").casefold() == self.utterance.words.casefold()


async def interrupt_all(
    caller: Caller, witness: Witness, said: Sequence[Utterance], numbers: Iterator[int], chance: random.Random
) -> list[RealInterruption]:
    """Says each of them into a reply of its own."""
    found = []
    for utterance in said:
        current = await begin_reply(caller, next(numbers))
        await asyncio.sleep(chance.uniform(*_INTO_S))
        found.append(await interrupt(caller, witness, current, utterance))
    return found


async def begin_reply(caller: Caller, number: int) -> Current:
    """A reply to a sentence of the script that is typed, once it sounds: its number stands in the engines' records."""
    since = len(caller.told)
    await caller.type(sentence(number))
    audio = await caller.until(kind_is("reply_audio"), since, ANSWER_BOUND_S)
    return Current(audio.turn_id, number)


async def interrupt(caller: Caller, witness: Witness, current: Current, utterance: Utterance) -> RealInterruption:
    """What became of the reply; the turn that the utterance begins is ended as well."""
    since = len(caller.told)
    spoken = await caller.say(utterance.samples)
    onset_at = spoken.began_at + utterance.onset_s
    understood = await _understood(caller, current, since)
    await witness.silence()
    await stop_replies(caller)
    told = caller.told[since:]
    seen = barge_in.seen(told, current, current.number, onset_at)
    return RealInterruption(
        utterance=utterance,
        seen=replace(seen, last_audio_at=max(seen.last_audio_at, onset_at)),
        told_at=witness.started_at(spoken.began_at),
        went_on=went_on(told, current),
        understood=understood,
    )


async def stop_replies(caller: Caller) -> None:
    """Ends whatever turn goes on, by the button."""
    begun = {told.turn_id for told in caller.told if told.turn_id}
    for turn_id in begun - {told.turn_id for told in caller.told if told.kind == "turn_finished"}:
        await caller.interrupt()
        await caller.turn_end(turn_id)


def went_on(told: Sequence[Told], reply: Current) -> bool:
    """Whether it was spoken again between a moment of yielding and its end."""
    states = [one.response.state.state for one in told if kind_is("state", reply.turn_id)(one)]
    yielded = states.index(pb.ASSISTANT_STATE_YIELDING) if pb.ASSISTANT_STATE_YIELDING in states else len(states)
    return any(state != pb.ASSISTANT_STATE_YIELDING for state in states[yielded:])


def tables(found: Sequence[RealInterruption], records: Sequence[Record]) -> Iterator[tuple[str, Rows]]:
    """A table for each kind of voice, and one for all whose first sound is known for sure: those in French."""
    for kind in dict.fromkeys(one.utterance.kind for one in found):
        yield kind, _rows([one for one in found if one.utterance.kind == kind], records)
    yield "all in French", _rows([one for one in found if one.utterance.kind.endswith(", fr")], records)


async def _understood(caller: Caller, current: Current, since: int) -> str:
    """The words that begin the next turn; none where the reply was not interrupted, or nothing followed."""
    try:
        await caller.until(kind_is("turn_finished", current.turn_id), since, ANSWER_BOUND_S)
        following = await caller.until(
            lambda told: told.turn_id not in ("", current.turn_id) and told.response.transcript.is_final,
            since,
            ANSWER_BOUND_S,
        )
    except TimeoutError:
        return ""
    return following.response.transcript.text


def _rows(found: Sequence[RealInterruption], records: Sequence[Record]) -> Rows:
    """What other interruptions show, with the witness in the place of the ears' records; and the ears' share."""
    of_ears = [
        Record("stt", one.seen.number, "finished", {"started": one.told_at}) for one in found if one.told_at is not None
    ]
    told = [(one.seen, one.told_at) for one in found if one.told_at is not None]
    header = "since the first sample of the speech, ms"
    measured = {
        "the ears tell of the speech (voice activity)": [at - seen.onset_at for seen, at in told],
        "the assistant yields, since then (ours)": [
            seen.yielded_at - at for seen, at in told if seen.yielded_at is not None
        ],
    }
    counted = {
        "went on for a moment before": sum(one.went_on for one in found),
        "understood word for word": f"{sum(one.is_right for one in found)} of {len(found)}",
        "answered": f"{sum(bool(one.understood) for one in found)} of {len(found)}",
    }
    return [
        *(
            {header: name, "times": len(seconds), **percentiles([value * 1000 for value in seconds])}
            for name, seconds in measured.items()
        ),
        *barge_in.rows([one.seen for one in found], [*records, *of_ears]),
        *({header: name, "times": count} for name, count in counted.items()),
    ]
