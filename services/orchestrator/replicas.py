"""The replicas of one stage, which stand in for each other.

A call is tried once, and once more before its first result: on the next replica, or on the same one if there is no
other. Once the first result is out a failure is raised: nothing is said twice, nothing is replayed blindly.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import Generic, Literal, TypeVar

from services.common.errors import CallError, UnavailableError
from services.orchestrator.patience import Patience
from services.orchestrator.ports import Stage
from services.orchestrator.replica import ClientT, Replica
from services.orchestrator.trial import Trial, Verdict

Order = Literal["in_order", "round_robin"]
T = TypeVar("T")
_MOST_TRIES = 2
_SAME_AGAIN_S = 0.25  # where there is no other: one that was just restarted is connected to again by then


class Replicas(Generic[ClientT]):
    """Chooses who takes a call. Whoever failed lately, or says that it does not serve, comes last."""

    def __init__(self, stage: Stage, replicas: Sequence[Replica[ClientT]], order: Order) -> None:
        self._stage = stage
        self._replicas = tuple(replicas)
        self._order = order
        self._turns = 0

    async def stream(
        self, use: Callable[[ClientT], AsyncGenerator[T, None]], patience: Patience
    ) -> AsyncGenerator[T, None]:
        """What the first replica gives that gives anything."""
        failure: CallError = UnavailableError(
            f"{self._stage.value} failed too often and is left alone for a while", reason="BREAKER_OPEN"
        )
        line = self._line_up()
        tried: Trial | None = None
        for tries_left in reversed(range(1, _MOST_TRIES + 1)):
            candidates = _candidates(line, tried)
            if tried is not None and candidates[:1] == [tried.replica]:
                await asyncio.sleep(_SAME_AGAIN_S)
            replica = None if patience.is_over else _acquire(candidates)
            if replica is None:
                break
            with Trial(replica) as tried:
                tries = min(tries_left, len(line))
                async with aclosing(patience.over(use(replica.client), tries)) as items:
                    async for item in items:
                        tried.began()
                        yield item
                tried.succeeded()
                return
            failure = tried.failure or failure
        raise failure

    def _line_up(self) -> list[Replica[ClientT]]:
        first = self._turns % len(self._replicas) if self._order == "round_robin" else 0
        self._turns += 1
        return sorted(self._replicas[first:] + self._replicas[:first], key=lambda replica: replica.is_doubtful)


def _candidates(line: list[Replica[ClientT]], tried: Trial | None) -> list[Replica[ClientT]]:
    """Whom to ask next: the one that was tried comes last, or not at all if it said itself that it cannot now."""
    if tried is None:
        return line
    others = [replica for replica in line if replica is not tried.replica]
    return others if tried.verdict is Verdict.UNABLE else [*others, tried.replica]


def _acquire(candidates: Sequence[Replica[ClientT]]) -> Replica[ClientT] | None:
    """The first whose breaker lets the call pass."""
    return next((replica for replica in candidates if replica.breaker.try_acquire()), None)
