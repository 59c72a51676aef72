"""One reply that llama.cpp writes: from the tokens to what its reader gets."""

import asyncio
from collections.abc import AsyncGenerator

from services.common.errors import EngineFailedError
from services.llm.batching import Job
from services.llm.engine import Finished, FinishReason, ReplyEvent, Usage
from services.llm.llama_sampler import LlamaSampler
from services.llm.reply_reader import ReplyReader


class LlamaReply:
    """Takes tokens as they are written. Its events wait, at most as many as its tokens, until they are read."""

    def __init__(self, job: Job, sampler: LlamaSampler, reader: ReplyReader, limit_tokens: int) -> None:
        self.job = job
        self.sampler = sampler
        self._reader = reader
        self._limit_tokens = limit_tokens
        self._written = 0
        self._events: asyncio.Queue[ReplyEvent | Exception] = asyncio.Queue()

    def take(self, token: int, piece: bytes) -> bool:
        """The next token; False when it was the last one wanted."""
        self._written += 1
        for event in self._reader.push(piece):
            self._events.put_nowait(event)
        if self._reader.is_stopped:
            self.end()
            return False
        if self._written == self._limit_tokens:
            self.end(FinishReason.LENGTH)
            return False
        self.job.tokens.append(token)
        return True

    def end(self, reason: FinishReason = FinishReason.STOP) -> None:
        """The model has no more to say, or may not say more."""
        try:
            events = self._reader.end(cut=reason is FinishReason.LENGTH)
        except EngineFailedError as error:
            self.fail(error)
            return
        for event in events:
            self._events.put_nowait(event)
        if self._reader.has_called:
            reason = FinishReason.TOOL_CALLS
        usage = Usage(self.job.prompt_tokens, self.job.known_tokens, self._written)
        self._events.put_nowait(Finished(reason, usage))

    def fail(self, error: Exception) -> None:
        """Nothing more can come."""
        self._events.put_nowait(error)

    async def events(self) -> AsyncGenerator[ReplyEvent, None]:
        """All that its reader gets."""
        while True:
            event = await self._events.get()
            if isinstance(event, Exception):
                raise event
            yield event
            if isinstance(event, Finished):
                return
