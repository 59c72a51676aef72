"""llama-cpp-python's own `Llama`, which writes one reply after the other: what the mind is measured against."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from services.llm.engine import ChatMessage
from services.llm.llama_options import LlamaOptions
from tests.bench.llm.written import SAMPLING, Written
from tests.support.shared_data import REPOSITORY

_LINE_BYTES = 1 << 20  # a whole reply and its times are one line


class Plain:
    """The process that it runs in."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    @asynccontextmanager
    async def loaded(cls, path: Path, options: LlamaOptions, *, own_waiting: bool) -> "AsyncIterator[Plain]":
        """With its model; ended at the end.

        Its threads wait for each other as the mind lets its own wait (services/llm/llama_library.py), or, with
        `own_waiting`, as they do for anybody else.
        """
        names = ("context_tokens", "batch_tokens", "threads", "gpu_layers")
        arguments = {"model": str(path), **{name: getattr(options, name) for name in names}}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.bench.llm.plain_llama", json.dumps(arguments)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            cwd=REPOSITORY,
            env={name: value for name, value in os.environ.items() if not own_waiting or name != "GOMP_SPINCOUNT"},
            limit=_LINE_BYTES,
        )
        plain = cls(process)
        try:
            await plain._answer()  # once it has loaded
            yield plain
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()

    async def write(
        self, messages: Sequence[ChatMessage], tokens: int, *, seed: int = 0, fresh: bool = False
    ) -> Written:
        """A reply of at most so many tokens; `fresh` forgets before it what was read for the last one."""
        asked = {
            "messages": [{"role": message.role, "content": message.content} for message in messages],
            **{name: getattr(SAMPLING, name) for name in ("temperature", "top_p", "top_k", "min_p", "repeat_penalty")},
            "max_tokens": tokens,
            "seed": seed,
            "fresh": fresh,
        }
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(asked).encode() + b"\n")
        answer = await self._answer()
        return Written(answer["text"], answer["began_s"], tuple(answer["at_s"]))

    async def _answer(self) -> Mapping[str, Any]:
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line:
            raise SystemExit("llama-cpp-python's Llama has ended; what it wrote above says why")
        answer: dict[str, Any] = json.loads(line)
        return answer
