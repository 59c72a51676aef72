"""Clients that are in the middle of a turn, and then are not there any more.

    python -m tests.support.vanishing ADDRESS COUNT      so many in a process of its own, to be killed or frozen

Half of them speak into the microphone, half are being replied to.
"""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator

from tests.fakes.scripted_services.script import QUESTIONS, speech
from tests.support.conversing import Caller, conversing, kind_is

IN_THE_MIDDLE = "in the middle of a turn"


@contextlib.asynccontextmanager
async def in_the_middle(address: str, count: int) -> AsyncIterator[None]:
    """So many clients, as long as the body runs; those that leave cancel their calls, and say nothing else."""
    async with contextlib.AsyncExitStack() as exits, asyncio.TaskGroup() as group:
        callers = [await exits.enter_async_context(conversing(address)) for _ in range(count)]
        speaking = [group.create_task(caller.say(speech(QUESTIONS.start))) for caller in callers[::2]]
        await asyncio.gather(*(_is_heard(caller) for caller in callers[::2]), *map(_is_replied_to, callers[1::2]))
        yield
        for task in speaking:
            task.cancel()


async def _is_heard(caller: Caller) -> None:
    await caller.until(kind_is("transcript"))


async def _is_replied_to(caller: Caller) -> None:
    await caller.type("Dis-moi tout.")
    await caller.until(kind_is("reply_audio"))


async def _main(address: str, count: int) -> None:
    async with in_the_middle(address, count):
        sys.stdout.write(IN_THE_MIDDLE + "\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], int(sys.argv[2])))
