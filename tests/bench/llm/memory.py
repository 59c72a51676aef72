"""Whether the service's memory stays what it is, however many replies are written or given up."""

import asyncio
import random
from itertools import count

from services.common.channels import Connection
from superwhisper.llm.v1 import llm_pb2, llm_pb2_grpc
from tests.bench.figures import Rows
from tests.bench.llm.dialogue import TURNS, own_prompt
from tests.bench.resident import resident_mb
from tests.support.servers import Child

_LOOKS = 10
_AT_ONCE = 4
_LIMIT_S = 120.0


async def measure(mind: Child, replies: int, cancels: int) -> Rows:
    """A row a look: what the process occupies after so many replies and cancels in all, none of which is under way.

    Allocators and pools grow to their size first, and llama.cpp takes some 20 MB and gives them back at any time: what
    counts is whether the last rows are above those in the middle.
    """
    rows = []
    async with Connection(mind.address).open() as channel:
        caller = _Caller(llm_pb2_grpc.LlmServiceStub(channel))
        for _ in range(_LOOKS):
            await caller.give_up(cancels // _LOOKS)
            await caller.have_written(replies // _LOOKS)
            rows.append(
                {"written": caller.written, "cancelled": caller.cancelled, "RSS, MB": round(resident_mb(mind.pid), 1)}
            )
    return rows


class _Caller:
    """Several conversations at once, each of them with requests that no other one makes."""

    def __init__(self, stub: "llm_pb2_grpc.LlmServiceAsyncStub") -> None:
        self._stub = stub
        self._system = own_prompt()
        self._chance = random.Random(3)
        self._numbers = count(1)
        self.written = 0
        self.cancelled = 0

    async def have_written(self, replies: int) -> None:
        """Each of two tokens."""
        for _ in range(0, replies, _AT_ONCE):
            await asyncio.gather(*(self._write() for _ in range(_AT_ONCE)))

    async def give_up(self, replies: int) -> None:
        """Some before the first token, some after it."""
        for _ in range(0, replies, _AT_ONCE):
            await asyncio.gather(*(self._cancel(self._chance.randint(0, 2)) for _ in range(_AT_ONCE)))

    async def _write(self) -> None:
        async for _ in self._stub.Generate(self._request(2), timeout=_LIMIT_S):
            pass
        self.written += 1

    async def _cancel(self, messages: int) -> None:
        call = self._stub.Generate(self._request(64), timeout=_LIMIT_S)
        await call.wait_for_connection()
        for _ in range(messages):
            await call.read()
        call.cancel()
        self.cancelled += 1

    def _request(self, tokens: int) -> llm_pb2.GenerateRequest:
        number = next(self._numbers)
        question = f"{number}: {TURNS[number % len(TURNS)]}"
        return llm_pb2.GenerateRequest(
            conversation_id=f"conversation {number % 10}",
            messages=[
                llm_pb2.Message(role=llm_pb2.ROLE_SYSTEM, content=self._system),
                llm_pb2.Message(role=llm_pb2.ROLE_USER, content=question),
            ],
            sampling=llm_pb2.SamplingConfig(max_tokens=tokens),
        )
