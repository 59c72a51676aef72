"""Waiting for what must happen, within a bound: never a sleep that hopes."""

import asyncio
import time
from collections.abc import Awaitable, Callable

# Generous: a test that waits so long has failed. Nothing is ever expected to take a stated time.
BOUND_S = 20.0


async def wait_until(condition: Callable[[], bool], what: str, bound_s: float = BOUND_S) -> None:
    """Returns as soon as the condition holds; fails with `what` was waited for."""
    ends = time.monotonic() + bound_s
    while not condition():
        if time.monotonic() > ends:
            raise AssertionError(f"waited {bound_s:g} s in vain for {what}")
        await asyncio.sleep(0.01)


async def wait_for(condition: Callable[[], Awaitable[bool]], what: str, bound_s: float = BOUND_S) -> None:
    """The same for a condition that must itself be awaited."""
    ends = time.monotonic() + bound_s
    while not await condition():
        if time.monotonic() > ends:
            raise AssertionError(f"waited {bound_s:g} s in vain for {what}")
        await asyncio.sleep(0.05)
