"""Has llama.cpp write: a task that plans a step, has it done in a thread of its own, and hands out what was written.

All that is known of replies and sequences is known to the event loop alone. So whoever leaves has left at once, and the
next step goes on without him, however long the one under way takes.
"""

import asyncio
import logging
import time
from concurrent.futures import Future, wait

from services.common.errors import CallError, EngineFailedError, UnavailableError
from services.common.tasks import cancel_and_wait
from services.common.threads import EngineThreads
from services.llm.batching import Batching, Job, Step
from services.llm.llama_context import LlamaContext
from services.llm.llama_model import LlamaModel
from services.llm.llama_reply import LlamaReply
from services.llm.metrics import StepMetrics

_log = logging.getLogger(__name__)
# A step takes milliseconds, and on a slow processor with a long prompt a second.
_LATE_STEP_S = 4.0
_Written = int | EngineFailedError  # a token, or why there is none


class LlamaDriver:
    """One for a context."""

    def __init__(
        self, model: LlamaModel, context: LlamaContext, batching: Batching, step_limit_s: float, metrics: StepMetrics
    ) -> None:
        self._model = model
        self._context = context
        self._batching = batching
        self._step_limit_s = step_limit_s
        self._metrics = metrics
        self._replies: dict[Job, LlamaReply] = {}
        self._thread = EngineThreads(1, "llama.cpp")
        self._has_work = asyncio.Event()
        self._step_began_s: float | None = None
        self._task = asyncio.create_task(self._drive(), name="llama.cpp")

    @property
    def is_closed(self) -> bool:
        """Whether nothing more will be written."""
        return self._task.done()

    @property
    def is_late(self) -> bool:
        """Whether the step under way takes so long that nothing should be expected of it."""
        return self._step_took_s > _LATE_STEP_S

    @property
    def stuck(self) -> str | None:
        """Why the process needs a successor, if it does."""
        if self._task.done() and not self._task.cancelled():
            return "llama.cpp is driven no more"
        if self._step_took_s > self._step_limit_s:
            return f"a step of llama.cpp has not come back for {self._step_took_s:.1f} s"
        return self._thread.stuck

    def add(self, reply: LlamaReply) -> None:
        """It is written from the next step on, as soon as a sequence is free."""
        self._replies[reply.job] = reply
        self._batching.add(reply.job)
        self._has_work.set()

    def leave(self, reply: LlamaReply) -> None:
        """It is over, or nobody wants it any more. No later step has it."""
        self._forget(reply.job)

    async def close(self, after: "Future[None]") -> None:
        """Ends every reply, and frees the context and the model, after the step under way and what `after` stands for.

        Who does not wait so long can leave: they are freed all the same, as soon as nobody uses them.
        """
        freed = self._thread.submit(self._free, after)
        self._thread.shutdown(wait=False)
        await cancel_and_wait(self._task)
        await asyncio.shield(asyncio.wrap_future(freed))

    @property
    def _step_took_s(self) -> float:
        return time.monotonic() - self._step_began_s if self._step_began_s is not None else 0.0

    def _free(self, after: "Future[None]") -> None:
        wait([after])
        self._context.close()
        self._model.close()

    async def _drive(self) -> None:
        try:
            while True:
                step = self._batching.plan()
                self._metrics.live.set(self._batching.live)
                self._metrics.kept_tokens.set(self._batching.kept_tokens)
                if step is None:
                    self._has_work.clear()
                    await self._has_work.wait()
                else:
                    await self._do(step)
        except Exception:
            _log.exception("llama.cpp is driven no more")
            raise
        finally:  # whoever waits for a token must not wait for ever
            for job in list(self._replies):
                self._fail(job, UnavailableError("the engine is closed"))
            self._metrics.live.set(0)
            self._metrics.kept_tokens.set(0)

    async def _do(self, step: Step) -> None:
        self._step_began_s = time.monotonic()
        try:
            with self._metrics.seconds.time():
                written = await self._thread.run(lambda _stop: self._run(step), self._step_limit_s)
        except Exception as error:  # noqa: BLE001  # whatever it is, the step's replies end of it, and the next goes on
            self._lose(step, error)
        else:
            self._batching.took(step)
            for job, token in written:
                self._write(job, token)
        finally:
            self._step_began_s = None

    def _run(self, step: Step) -> list[tuple[Job, _Written]]:
        """In the thread: the step, and the next token of each reply that is read up to its end."""
        places = self._context.run(step)
        asking = [(self._replies.get(feed.job), place) for feed, place in places.items()]
        return [(reply.job, self._sample(reply, place)) for reply, place in asking if reply is not None]

    def _sample(self, reply: LlamaReply, place: int) -> _Written:
        try:
            return reply.sampler.next_token(self._context, place)
        except EngineFailedError as error:
            return error  # of this reply alone

    def _write(self, job: Job, token: _Written) -> None:
        reply = self._replies.get(job)
        if reply is None:
            return  # its reader has left
        if isinstance(token, EngineFailedError):
            reply.fail(token)
        elif self._model.is_end(token):
            reply.end()
        elif reply.take(token, self._model.piece(token)):
            return
        self._forget(job)

    def _lose(self, step: Step, error: Exception) -> None:
        _log.warning("a step of llama.cpp failed: %r", error)
        failure = error if isinstance(error, CallError) else EngineFailedError("llama.cpp failed")
        for job in self._batching.lost(step):
            self._fail(job, failure)

    def _fail(self, job: Job, error: Exception) -> None:
        if job in self._replies:
            self._replies[job].fail(error)
        self._forget(job)

    def _forget(self, job: Job) -> None:
        self._batching.leave(job)
        self._replies.pop(job, None)
