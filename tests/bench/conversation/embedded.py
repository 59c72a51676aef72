"""Turns in a row with the real engines that need nothing but packages: pocketsphinx, SmolLM2 and espeak-ng.

One conversation in English with all four processes, at the pace of time. Every second question is spoken, by people or
by espeak-ng, the others are typed. The model, small as it is, writes on and on: who has listened to a reply for three
seconds stops it by the button, and asks on. A turn is good if its reply was heard, whole or until it was stopped, and
nothing failed on the way; what pocketsphinx understood does not matter here.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle

from services.common.audio import Samples, read_wav, resample
from superwhisper.assistant.v1 import assistant_pb2 as pb
from tests.bench.conversation.overheard import conversing_in
from tests.bench.conversation.utterances import commands
from tests.bench.conversation.voice_to_voice import percentiles
from tests.bench.figures import Rows
from tests.bench.resident import resident_mb
from tests.support.closed_whisper import SENTENCES, say
from tests.support.conversing import RATE_HZ, Caller, kind_is
from tests.support.shared_data import REPOSITORY, SHARED
from tests.support.stack import running_stack

_LISTENS_S = 3.0
_ANSWER_BOUND_S = 30.0
_EARLY_TURN = 10
_TYPED = ("Hello, who are you?", "Tell me about the sea.", "What is a cat?", "Name a colour.", "Why is the sky blue?")


@dataclass(frozen=True)
class Turn:
    """One of them; `failure` is why it is none to be content with. Times are the orchestrator's own."""

    number: int
    was_typed: bool
    failure: str = ""
    was_stopped: bool = False
    timings_ms: tuple[tuple[str, float], ...] = ()


async def measure(turns: int) -> dict[str, Rows]:
    """So many turns, and the memory that it took."""
    async with running_stack() as stack, conversing_in("en", stack.orchestrator.address) as caller:
        processes = {child.name: child.pid for child in (stack.stt, stack.llm, stack.tts, stack.orchestrator)}
        memory_mb: dict[int, dict[str, float]] = {}
        asked, questions, began = [], _questions(), time.monotonic()
        for number in range(1, turns + 1):
            asked.append(await _turn(caller, number, next(questions)))
            if number in (_EARLY_TURN, turns):
                memory_mb[number] = {name: resident_mb(pid) for name, pid in processes.items()}
        took_s = time.monotonic() - began
    return {
        "Turns in a row with the embedded engines": _turn_rows(asked, took_s),
        "Stages, since the last word (p50 / p95 / p99, ms)": _stage_rows(asked),
        "Memory, MB": [{"after turn": number, **_rounded(sizes)} for number, sizes in memory_mb.items()],
    }


def _questions() -> Iterator[Samples | str]:
    """Spoken and typed in turn, over and over."""
    wav = REPOSITORY / "client" / "assets" / "question-en.wav"
    made = [say(text, language).samples for text, language in SENTENCES if language == "en"]
    spoken = [resample(read_wav(wav.read_bytes(), wav.name), RATE_HZ).samples, *made]
    if SHARED.exists():
        spoken += [one.samples for one in commands(SHARED, "en")]
    for samples, text in zip(cycle(spoken), cycle(_TYPED), strict=False):
        yield samples
        yield text


async def _turn(caller: Caller, number: int, question: Samples | str) -> Turn:
    was_typed, since = isinstance(question, str), len(caller.told)
    if isinstance(question, str):
        await caller.type(question)
    else:
        await caller.say(question)
    try:
        begun = await caller.until(lambda told: bool(told.turn_id), since, _ANSWER_BOUND_S)
        was_stopped = await _listen(caller, begun.turn_id, since)
        finished = await caller.turn_end(begun.turn_id, _ANSWER_BOUND_S)
    except TimeoutError as error:
        return Turn(number, was_typed, failure=str(error))
    timings = tuple((field.name, value) for field, value in finished.timings.ListFields())
    return Turn(number, was_typed, _failure(caller, begun.turn_id, finished), was_stopped, timings)


async def _listen(caller: Caller, turn_id: str, since: int) -> bool:
    """Hears the reply for a while; whether it had to be stopped then."""
    await caller.until(
        lambda told: told.turn_id == turn_id and told.kind in ("reply_audio", "turn_finished"), since, _ANSWER_BOUND_S
    )
    try:
        await caller.until(kind_is("turn_finished", turn_id), since, _LISTENS_S)
    except TimeoutError:
        await caller.interrupt()
        return True
    return False


def _failure(caller: Caller, turn_id: str, finished: pb.TurnFinished) -> str:
    degraded = [told.response.degraded for told in caller.of_turn(turn_id, "degraded")]
    if degraded:
        return ", ".join(f"{pb.Stage.Name(one.stage)} {one.reason}" for one in degraded)
    if not caller.of_turn(turn_id, "reply_audio"):
        return "no audio"
    return pb.TurnOutcome.Name(finished.outcome) if finished.outcome == pb.TURN_OUTCOME_FAILED else ""


def _turn_rows(asked: Sequence[Turn], took_s: float) -> Rows:
    rows: Rows = [
        {
            "turns": len(asked),
            "spoken": sum(not one.was_typed for one in asked),
            "failed": sum(bool(one.failure) for one in asked),
            "heard to the end": sum(not one.was_stopped and not one.failure for one in asked),
            "stopped": sum(one.was_stopped for one in asked),
            "a minute": round(len(asked) * 60 / took_s, 1),
        }
    ]
    return [*rows, *({"turns": f"turn {one.number}: {one.failure}"} for one in asked if one.failure)]


def _stage_rows(asked: Sequence[Turn]) -> Rows:
    rows: Rows = []
    for was_typed in (False, True):
        good = [dict(one.timings_ms) for one in asked if one.was_typed == was_typed and not one.failure]
        for stage in pb.TurnTimings.DESCRIPTOR.fields_by_name:
            values = [timings[stage] for timings in good if stage in timings]
            row = {"question": "typed" if was_typed else "spoken", "until": stage, "turns": len(values)}
            rows += [{**row, **percentiles(values)}] if values else []
    return rows


def _rounded(sizes: dict[str, float]) -> dict[str, int]:
    return {name: round(size) for name, size in sizes.items()}
