"""A language model that says what it is told, when it is told."""

import asyncio
from collections.abc import AsyncGenerator

from services.llm.engine import AtWork, Finished, FinishReason, Generation, ReplyEvent, TextDelta, ToolCall, Usage


class ScriptedMind:
    """Says its words one by one, or raises the error among them. With `gated`, a word waits for `release`."""

    def __init__(self, *script: str | AtWork | ToolCall | BaseException, gated: bool = False) -> None:
        self.asked: list[str] = []  # the conversations, in the order in which they were taken up
        self.ended: list[str] = []
        self.written = 0
        self._script = script
        self._gate = asyncio.Semaphore(0 if gated else 1_000_000)

    @property
    def context_tokens(self) -> int:
        return 1000

    @property
    def supports_tools(self) -> bool:
        return True

    @property
    def supports_formats(self) -> bool:
        return True

    def release(self, words: int = 1) -> None:
        """So many more words may be said."""
        for _ in range(words):
            self._gate.release()

    async def generate(self, request: Generation) -> AsyncGenerator[ReplyEvent, None]:
        self.asked.append(request.conversation_id)
        try:
            for step in self._script:
                await self._gate.acquire()
                if isinstance(step, BaseException):
                    raise step
                self.written += 1
                yield TextDelta(step) if isinstance(step, str) else step
            yield Finished(FinishReason.STOP, Usage(3, 1, len(self._script)))
        finally:
            self.ended.append(request.conversation_id)

    async def close(self) -> None:
        """Holds nothing."""
