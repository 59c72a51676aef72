"""One fault of one service, and four conversations that it hits at once, each in another situation.

aftermaths = await strike(stack, "stt", Fault.KILL)   # what each of the four went through
"""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from enum import Enum

from services.common.audio import Samples
from superwhisper.assistant.v1 import assistant_pb2 as pb
from tests.fakes.scripted_services.script import INTERRUPTIONS, MS_PER_WORD, QUESTIONS, RATE_HZ, speech
from tests.support.conversing import Caller, Matches, Told, conversing, kind_is
from tests.support.faulty_stack import Fault, FaultyStack

STAGES = {"stt": pb.STAGE_STT, "llm": pb.STAGE_LLM, "tts": pb.STAGE_TTS}
LISTENS_SO_FAST = 8.0  # a loudspeaker: nobody has the time to hear the replies out
_UTTERANCE_WORDS = 6  # 1.4 s: all are in their situations after less than half of it
_SENTENCE_WORDS = 3
# An apology repeats what was understood. Who says the same at once, to a loudspeaker that fast, is taken for its echo.
_NEXT_SENTENCES = (INTERRUPTIONS.start, QUESTIONS.start) * 2


class Situation(Enum):
    """What a conversation is doing when it is hit."""

    IDLE = "idle"  # connected; nobody spoke yet
    LISTENING = "listening"  # somebody is in the middle of an utterance
    THINKING = "thinking"
    SPEAKING = "speaking"


# Where a fault shows while it lasts. The ears always listen; mind and mouth are at work for a turn alone.
NOTICED = {
    "stt": frozenset(Situation),
    "llm": frozenset({Situation.THINKING, Situation.SPEAKING}),
    "tts": frozenset({Situation.THINKING, Situation.SPEAKING}),
}


@dataclass(frozen=True)
class Aftermath:
    """What one conversation went through. Seconds; None where that did not happen."""

    situation: Situation
    degraded_s: float | None  # after the blow
    degraded_stages: frozenset[int]
    was_heard: (
        bool  # audio of the turn that was hit, or of what came of the utterance; after it was degraded, if it was
    )
    outcome: int | None  # of that turn
    next_turn_s: float  # from when the service was back until the next turn was over
    next_turn_tries: int
    finished: Counter[str]  # how often each turn was that began

    @property
    def was_degraded(self) -> bool:
        """Whether the client was told of any failure."""
        return self.degraded_s is not None


@dataclass(frozen=True)
class _Hit:
    """A conversation, and how much it had been told when it was hit."""

    situation: Situation
    caller: Caller
    told: int


async def strike(stack: FaultyStack, stage: str, fault: Fault) -> list[Aftermath]:
    """Hits the service, has it recover once the fault was noticed, and goes on with all four conversations."""
    engine = stack.engines[stage]
    async with _conversations(stack.address) as callers, asyncio.TaskGroup() as group:
        await _bring_about(callers, group)
        hits = [_Hit(situation, caller, len(caller.told)) for situation, caller in callers.items()]
        _check_utterance(callers[Situation.LISTENING])
        blow_at = time.monotonic()
        engine.suffer(fault)
        if fault is not Fault.RESTART:
            await asyncio.gather(*(_noticed(hit) for hit in hits if hit.situation in NOTICED[stage]))
        await engine.recover(fault)
        back_at = time.monotonic()
        return await asyncio.gather(*(_aftermath(hit, blow_at, back_at) for hit in hits))


@contextlib.asynccontextmanager
async def _conversations(address: str) -> AsyncIterator[Mapping[Situation, Caller]]:
    async with contextlib.AsyncExitStack() as exits:
        yield {
            situation: await exits.enter_async_context(conversing(address, speed=LISTENS_SO_FAST))
            for situation in Situation
        }


async def _bring_about(callers: Mapping[Situation, Caller], group: asyncio.TaskGroup) -> None:
    """Returns in the moment in which each of them is in its situation."""
    speaking, listening, thinking = (
        callers[one] for one in (Situation.SPEAKING, Situation.LISTENING, Situation.THINKING)
    )
    group.create_task(listening.say(_words_of(QUESTIONS.start, _UTTERANCE_WORDS)))
    await speaking.type("Dis-moi tout.")
    await asyncio.gather(speaking.until(kind_is("reply_audio")), listening.until(kind_is("transcript")))
    await thinking.type("Dis-moi autre chose.")
    await thinking.until(_enters(pb.ASSISTANT_STATE_THINKING))


def _words_of(number: int, words: int) -> Samples:
    """The beginning of a sentence."""
    return speech(number)[: words * MS_PER_WORD * RATE_HZ // 1000]


def _check_utterance(listening: Caller) -> None:
    assert not any(told.turn_id for told in listening.told), "the utterance was over too soon: the machine is too slow"


async def _noticed(hit: _Hit) -> Told:
    return await hit.caller.until(kind_is("degraded"), hit.told)


async def _aftermath(hit: _Hit, blow_at: float, back_at: float) -> Aftermath:
    caller = hit.caller
    finished = await _rest_of_turn(hit)
    told = caller.told[hit.told :]
    degraded = [one for one in told if one.kind == "degraded"]
    tries = await _next_turn(caller)
    return Aftermath(
        situation=hit.situation,
        degraded_s=degraded[0].at - blow_at if degraded else None,
        degraded_stages=frozenset(one.response.degraded.stage for one in degraded),
        was_heard=finished is not None and _was_heard(told, finished.turn_id),
        outcome=finished.response.turn_finished.outcome if finished is not None else None,
        next_turn_s=caller.told[-1].at - back_at,
        next_turn_tries=tries,
        finished=_finished(caller),
    )


async def _rest_of_turn(hit: _Hit) -> Told | None:
    """The end of the turn that was hit, or of what came of the utterance. Of silence comes nothing."""
    if hit.situation is Situation.IDLE:
        return None
    return await hit.caller.until(kind_is("turn_finished"), hit.told)


def _was_heard(told: list[Told], turn_id: str) -> bool:
    """Whether there was audio of the turn, and where it was degraded: after that."""
    kinds = [one.kind for one in told if one.turn_id == turn_id]
    return "reply_audio" in (kinds[kinds.index("degraded") :] if "degraded" in kinds else kinds)


async def _next_turn(caller: Caller) -> int:
    """Asks until it is answered as if nothing had happened; how often it had to."""
    for tries, sentence in enumerate(_NEXT_SENTENCES, start=1):
        since = len(caller.told)
        await caller.say(_words_of(sentence, _SENTENCE_WORDS))
        finished = await caller.until(kind_is("turn_finished"), since)
        turn = [one.kind for one in caller.told if one.turn_id == finished.turn_id]
        completed = finished.response.turn_finished.outcome == pb.TURN_OUTCOME_COMPLETED
        if completed and "reply_audio" in turn and "degraded" not in turn:
            return tries
    raise AssertionError(f"{len(_NEXT_SENTENCES)} turns in a row failed after the service was back")


def _finished(caller: Caller) -> Counter[str]:
    counts = Counter({one.turn_id: 0 for one in caller.told if one.turn_id})
    counts.update(one.turn_id for one in caller.told if one.kind == "turn_finished")
    return counts


def _enters(state: "pb.AssistantState.ValueType") -> Matches:
    return lambda told: told.response.state.state == state
