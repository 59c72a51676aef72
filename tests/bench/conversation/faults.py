"""What people notice of a service that is killed, frozen or restarted, whatever their conversation is doing then.

Each time four conversations are hit at once: one idle, one in the middle of an utterance, one thinking, one speaking.
"""

import sys
from collections.abc import Sequence

import grpc

from tests.bench.figures import Rows, spread
from tests.support.faulty_stack import Fault, FaultyStack, faulty_stack
from tests.support.strikes import NOTICED, STAGES, Aftermath, Situation, strike

TITLE = (
    "Conversations hit by a fault: told of it, since the signal; "
    "end of the next turn, since the service is back (p50 / p95 / max)"
)
_TOLD_WITHIN_S = {Fault.KILL: 0.5, Fault.FREEZE: 3.0}  # a restart lets what is at work end first


async def run(times: int) -> Rows:
    """Strikes each service with each fault so many times; a row for each situation that it is met in."""
    rows: Rows = []
    async with faulty_stack() as stack:
        for stage in STAGES:
            for fault in Fault:
                found = [one for _ in range(times) for one in await _struck(stack, stage, fault)]
                for situation in Situation:
                    met = [one for one in found if one.situation is situation]
                    rows.append(row(stage, fault, situation, times, met))
    return rows


def row(stage: str, fault: Fault, situation: Situation, times: int, found: Sequence[Aftermath]) -> dict[str, object]:
    """How conversations in one situation fared: how many of them survived, were told, and so on."""
    told_s = [one.degraded_s for one in found if one.degraded_s is not None]
    limit_s = _TOLD_WITHIN_S.get(fault) if situation in NOTICED[stage] else None
    in_time = sum(1 for seconds in told_s if limit_s is None or seconds <= limit_s)
    return {
        "service": stage,
        "fault": fault.value,
        "while": situation.value,
        "times": times,
        "survived": len(found),
        "told": len(told_s),
        "told, ms": _milliseconds(told_s),
        "late": "" if limit_s is None else len(found) - in_time,
        "heard": "" if situation is Situation.IDLE else sum(1 for one in found if one.was_heard),
        "ended once": sum(1 for one in found if set(one.finished.values()) == {1}),
        "next at once": sum(1 for one in found if one.next_turn_tries == 1),
        "next, ms": _milliseconds([one.next_turn_s for one in found]),
    }


def _milliseconds(seconds: Sequence[float]) -> dict[str, int]:
    of_all = spread([1000 * one for one in seconds]) if seconds else {}
    return {name: round(value) for name, value in of_all.items()}


async def _struck(stack: FaultyStack, stage: str, fault: Fault) -> list[Aftermath]:
    """What became of all four; nothing where one of them did not survive it."""
    try:
        return await strike(stack, stage, fault)
    except* (TimeoutError, AssertionError, grpc.aio.AioRpcError) as errors:
        sys.stderr.write(f"{stage}, {fault.value}: {errors.exceptions}\n")
    await stack.engines[stage].start()
    return []
