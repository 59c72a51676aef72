"""Somebody speaks into a reply, in a room where the loudspeaker is heard by the microphone."""

import asyncio
import random
from dataclasses import dataclass
from itertools import cycle, islice

import numpy as np

from services.common.audio import Recording, Samples, resample
from tests.bench.conversation.utterances import Utterance, synthesized_sentences
from tests.bench.conversation.voice_to_voice import percentiles
from tests.bench.figures import Rows
from tests.bench.room.alignment import place_of
from tests.bench.room.staging import Scene, scene
from tests.support.conversing import RATE_HZ
from tests.support.talker import is_kind, is_state
from tests.support.tape import RATE_HZ as TAPE_HZ

_QUESTION = "Tell me a long story about the sea."
_INTO_S = (0.5, 3.0)  # after the reply's first audio
_BOUND_S = 60.0
_AUDIBLE = 150  # -47 dBFS: a fade is over by then
_WATCHED_S = 2.5  # after the onset


@dataclass(frozen=True)
class Interruption:
    """What became of a reply that was spoken into."""

    said: str
    understood: str
    was_interrupted: bool
    silent_ms: float | None  # from the first sound of the speech to the last sound of the reply
    yielded_ms: float | None  # until the client was told to hold the reply

    @property
    def is_right(self) -> bool:
        """Whether all that was said is what is answered."""
        return self.understood.strip(" .?!").casefold() == self.said.strip(" .?!").casefold()


async def measure(times: int, *arguments: str) -> dict[str, Rows]:
    """So many interruptions."""
    chance = random.Random(1)
    said = [one for one in synthesized_sentences() if len(one.words.split()) > 2]
    async with scene(*arguments, echo=True) as here:
        found = [
            await _interrupt(here, utterance, chance.uniform(*_INTO_S)) for utterance in islice(cycle(said), times)
        ]
    return {"Spoken into a reply, with echo": _rows(found), "Each": _each(found)}


async def _interrupt(here: Scene, utterance: Utterance, into_s: float) -> Interruption:
    one, since = here.talker, len(here.talker.told)
    await one.type(_QUESTION)
    asked = await one.until(lambda told: told.kind == "transcript" and told.event["typed"], since, _BOUND_S)
    turn_id = asked.event["turn_id"]
    await one.until(is_kind("reply_audio", turn_id), since, _BOUND_S)
    await asyncio.sleep(into_s)
    spoken_from = here.air.now
    await here.room.say(Recording(utterance.samples, RATE_HZ))
    understood = ""
    try:
        await one.until(is_kind("turn_finished", turn_id), since, 5.0)
        final = await one.until(
            lambda told: told.kind == "transcript" and told.event["is_final"] and not told.event["typed"], since, 10.0
        )
        understood = final.event["text"]
    except TimeoutError:
        pass  # it was not interrupted, or nothing was understood: told by what is returned
    onset_at = _onset_at(here, utterance, spoken_from)
    silent_ms = None if onset_at is None else _silent_after_ms(here, turn_id, since, onset_at)
    result = Interruption(
        utterance.words,
        understood,
        bool(one.of("interrupted", turn_id, since)),
        silent_ms,
        None if onset_at is None else _yielded_ms(here, turn_id, since, onset_at),
    )
    await _end_turns(here, since)
    return result


async def _end_turns(here: Scene, since: int) -> None:
    """Stops the reply to what was understood, by the key."""
    one = here.talker
    begun = {told.event["turn_id"] for told in one.told[since:] if told.event.get("turn_id")}
    ended = {told["turn_id"] for told in one.of("turn_finished", since=since)}
    for turn_id in begun - ended:
        await one.interrupt()
        await one.until(is_kind("turn_finished", turn_id), since, _BOUND_S)


def _onset_at(here: Scene, utterance: Utterance, since_at: float) -> float | None:
    """When its first sound was in the air."""
    heard = here.air.between(since_at, here.air.now)
    said = resample(Recording(utterance.samples, RATE_HZ), TAPE_HZ).samples
    voiced = said[round(utterance.onset_s * TAPE_HZ) :]
    place = place_of(voiced, heard)
    return None if place is None else here.air.moment(since_at, place)


def _yielded_ms(here: Scene, turn_id: str, since: int, onset_at: float) -> float | None:
    told = here.talker.told[since:]
    yields = (one.at for one in told if is_state("yielding")(one) and one.event["turn_id"] == turn_id)
    return next(((at - onset_at) * 1000 for at in yields), None)


def _silent_after_ms(here: Scene, turn_id: str, since: int, onset_at: float) -> float:
    """Until the last sound of that reply: what sounds later is the reply to what was said."""
    told = here.talker.told[since:]
    others = (one.at for one in told if one.kind == "reply_audio" and one.event["turn_id"] != turn_id)
    ends_at = min(next((at for at in others if at > onset_at), onset_at + _WATCHED_S), onset_at + _WATCHED_S)
    played: Samples = here.speakers.between(onset_at, ends_at)
    audible = np.flatnonzero(np.abs(played.astype(np.int32)) > _AUDIBLE)
    return float(audible[-1]) / TAPE_HZ * 1000 if audible.size else 0.0


def _rows(found: list[Interruption]) -> Rows:
    yielded = [one.yielded_ms for one in found if one.yielded_ms is not None]
    silent = [one.silent_ms for one in found if one.silent_ms is not None]
    return [
        {
            "interruptions": len(found),
            "interrupted the reply": sum(one.was_interrupted for one in found),
            "something was understood": sum(bool(one.understood) for one in found),
            "word for word": sum(one.is_right for one in found),
            "onset to the assistant's yielding, ms": percentiles(yielded),
            "onset to silence, ms": percentiles(silent),
        }
    ]


def _each(found: list[Interruption]) -> Rows:
    return [
        {
            "said": one.said,
            "understood": one.understood,
            "interrupted": "yes" if one.was_interrupted else "no",
            "yielded after, ms": -1 if one.yielded_ms is None else round(one.yielded_ms),
            "silent after, ms": -1 if one.silent_ms is None else round(one.silent_ms),
        }
        for one in found
    ]
