"""Has replies written by the chain of engines, so many at a time, and measures them."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field

from services.common.chain import Answer, EngineChain
from services.common.errors import InvalidInputError, UnsupportedError
from services.common.tasks import read_ahead
from services.llm.config import LlmSection
from services.llm.engine import AtWork, Finished, Generation, LlmEngine, ReplyEvent, TextDelta, ToolCall
from services.llm.metrics import LlmMetrics

_NO_BACKEND = "none"


@dataclass
class Tally:
    """Where the time of a reply went, in milliseconds since the request."""

    began_at: float = field(default_factory=time.monotonic)
    backend: str = _NO_BACKEND
    queued_ms: float = 0.0
    first_token_ms: float = 0.0
    total_ms: float = 0.0

    def elapsed_ms(self) -> float:
        """Until now."""
        return (time.monotonic() - self.began_at) * 1000


class Writer:
    """One for the process."""

    def __init__(self, chain: EngineChain[LlmEngine], metrics: LlmMetrics, settings: LlmSection) -> None:
        self._chain = chain
        self._metrics = metrics
        self._turns = asyncio.Semaphore(settings.max_parallel)  # first come, first served
        self._first_limit_s = settings.first_token_limit_s
        self._next_limit_s = settings.next_token_limit_s
        # A whole reply and its end: a slow reader must not hold the model up for those who wait.
        self._events_ahead = settings.max_reply_tokens + 2

    async def write(self, request: Generation, tally: Tally) -> AsyncGenerator[Answer[ReplyEvent], None]:
        """The reply, as it is written, without what the model thinks.

        InvalidInputError where the request has what no engine supports.
        """
        try:
            async with aclosing(read_ahead(self._in_turn(request, tally), self._events_ahead)) as events:
                async for event in events:
                    yield event
        except UnsupportedError as error:
            raise InvalidInputError(error.field, error.message, reason=error.detailed_reason) from error
        finally:
            if tally.backend != _NO_BACKEND:
                self._metrics.response_seconds.observe(tally.elapsed_ms() / 1000)

    async def _in_turn(self, request: Generation, tally: Tally) -> AsyncGenerator[Answer[ReplyEvent], None]:
        """Waiting is not the engine's fault, so its time limits count from when it takes the request up."""
        with self._metrics.waiting.track_inprogress():
            await self._turns.acquire()
        try:
            tally.queued_ms = tally.elapsed_ms()
            answers = self._chain.stream(
                lambda engine: engine.generate(request), self._first_limit_s, self._next_limit_s, is_part=_is_shown
            )
            async with aclosing(answers):
                async for answer in answers:
                    self._count(answer, tally)
                    if _is_shown(answer.value):
                        yield answer
        finally:
            self._turns.release()

    def _count(self, answer: Answer[ReplyEvent], tally: Tally) -> None:
        backend, event = answer.backend, answer.value
        tally.backend = backend
        if isinstance(event, TextDelta | ToolCall) and not tally.first_token_ms:
            tally.first_token_ms = tally.elapsed_ms()
            self._metrics.first_token_seconds.labels(backend).observe(tally.first_token_ms / 1000)
        if isinstance(event, Finished):
            tally.total_ms = tally.elapsed_ms()
            usage = event.usage
            self._metrics.tokens.labels(backend, "prompt").inc(usage.prompt_tokens)
            self._metrics.tokens.labels(backend, "cached").inc(usage.cached_prompt_tokens)
            self._metrics.tokens.labels(backend, "completion").inc(usage.completion_tokens)


def _is_shown(event: ReplyEvent) -> bool:
    return not isinstance(event, AtWork)
