"""Interruptions and false alarms with the real ears: the service with Silero, and recognisers that hear real words.

Mind and mouth are scripted. No recogniser here understands everybody, so each figure stands on a kind of voice:

    made Whisper   French: knows some sentences, spoken by espeak-ng, word for word, "oui" among them. In people's
                   speech it hears words, but others: enough to interrupt, and to tell how soon. It makes words of a hum
    pocketsphinx   English: half of people's words; at the end, though not before, most of what listeners say

Whatever is said begins after a second of its own room. The English recordings begin with the click of a button and are
noisy: where their speech begins is a guess. A message of the microphone is sent when it is complete: its first sample
is up to 20 ms older than the moment that is counted from.
"""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from typing import TypeVar

from tests.bench.conversation import barge_in, real_false_alarms, real_interruptions, utterances
from tests.bench.conversation.engines import Stack
from tests.bench.conversation.overheard import Witness, overheard
from tests.bench.conversation.utterances import Utterance
from tests.bench.figures import Rows
from tests.fakes.scripted_services.script import QUESTIONS
from tests.support.closed_whisper import closed_whisper
from tests.support.conversing import Caller
from tests.support.ears import whisper
from tests.support.faulty_stack import Engine, stage_flags
from tests.support.servers import child_service
from tests.support.shared_data import SHARED

_AT_ONCE = 2  # conversations: each has two streams, and all processes share the machine
_SHARES = "p50 / p95 / p99"
T = TypeVar("T")
SpeakInto = Callable[[Caller, Witness, Sequence[Utterance], Iterator[int], random.Random], Awaitable[list[T]]]


@dataclass(frozen=True)
class RealEars:
    """A recogniser, its language, and what is said to it."""

    language_code: str
    flags: tuple[str, ...]

    def interruptions(self) -> list[Utterance]:
        """Those of people; before each of them, where there are such, a synthesized one."""
        people = utterances.commands(SHARED, self.language_code)
        if self.language_code != "fr":
            return people
        made = utterances.synthesized_sentences()
        return [one for pair in zip(made, cycle(people), strict=False) for one in pair]

    def false_alarms(self) -> list[Utterance]:
        """Two noises, a backchannel, and so on."""
        noises, words = utterances.noises(SHARED), cycle(utterances.backchannels(self.language_code))
        return [one for at in range(0, len(noises), 2) for one in (*noises[at : at + 2], next(words))]


def made_whisper() -> RealEars:
    """French."""
    return RealEars("fr", whisper(closed_whisper()))


def pocketsphinx() -> RealEars:
    """English; it is what the embedded profile listens with."""
    return RealEars("en", ())


@contextlib.asynccontextmanager
async def real_ears_stack(*ears_flags: str) -> AsyncIterator[Stack]:
    """Real ears and a real orchestrator, scripted mind and mouth: all of them processes."""
    async with contextlib.AsyncExitStack() as exits:
        engines = [Engine(barge_in.LONG_REPLIES.mind), Engine(barge_in.LONG_REPLIES.mouth)]
        for engine in engines:
            exits.callback(engine.end)
        streams = ("--stt.max_streams", str(2 * _AT_ONCE))
        await asyncio.gather(*(engine.start() for engine in engines))
        stt = await exits.enter_async_context(child_service("stt", *streams, *ears_flags))
        stages = {"stt": stt.address} | {engine.name: engine.address for engine in engines}
        orchestrator = await exits.enter_async_context(child_service("orchestrator", *stage_flags(stages)))
        children = tuple(engine.child for engine in engines)
        yield Stack(orchestrator.address, stages, barge_in.LONG_REPLIES, children)


async def measure(interruptions: int, false_alarms: int) -> dict[str, Rows]:
    """Tables of both: a tenth of the interruptions is in English, and half of the false alarms are."""
    numbers = iter(QUESTIONS)
    english = (interruptions // 10, false_alarms // 2)
    french = (interruptions - english[0], false_alarms - english[1])
    cut, alarms, records = [], [], []
    for ears, (cuts_wanted, alarms_wanted) in ((made_whisper(), french), (pocketsphinx(), english)):
        async with real_ears_stack(*ears.flags) as stack:
            said = islice(cycle(ears.interruptions()), cuts_wanted)
            cut += await _shared(stack, ears, list(said), numbers, real_interruptions.interrupt_all)
            said = islice(cycle(ears.false_alarms()), alarms_wanted)
            alarms += await _shared(stack, ears, list(said), numbers, real_false_alarms.alarm_all)
            records += stack.records()
    tables = real_interruptions.tables(cut, records)
    return {
        **{f"Interruptions heard by real ears: {kind} ({_SHARES})": rows for kind, rows in tables},
        f"False alarms heard by real ears ({_SHARES})": real_false_alarms.rows(alarms),
    }


async def _shared(
    stack: Stack, ears: RealEars, said: Sequence[Utterance], numbers: Iterator[int], speak_into: SpeakInto[T]
) -> list[T]:
    """What comes of it all, shared by the conversations."""

    async def converse(own: Sequence[Utterance], seed: int) -> list[T]:
        async with overheard(stack.address, stack.stages["stt"], ears.language_code) as (caller, witness):
            return await speak_into(caller, witness, own, numbers, random.Random(seed))

    shares = [said[seed::_AT_ONCE] for seed in range(_AT_ONCE)]
    of_all = await asyncio.gather(*(converse(share, seed) for seed, share in enumerate(shares) if share))
    return [one for own in of_all for one in own]
