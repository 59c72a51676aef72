"""The llama.cpp engine: one model, one thread of its own, one reply at a time."""

import asyncio
import contextlib
import os
import signal
import sys
import threading
from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing, closing
from pathlib import Path

from services.common.errors import EngineFailedError, InvalidInputError
from services.common.threads import EngineThreads, iterate_blocking, run_blocking
from services.llm import llama_model
from services.llm.engine import (
    ChatMessage,
    Finished,
    FinishReason,
    Generation,
    ReplyEvent,
    Role,
    Sampling,
    TextDelta,
    Usage,
)
from services.llm.llama_model import LlamaModel, LlamaOptions
from services.llm.reply_text import ReplyText

# A prompt that leaves less than this would have its reply cut inside the first sentence.
_LEAST_ROOM_TOKENS = 64
_WARM_UP = Generation(
    conversation_id="",
    messages=(ChatMessage(Role.USER, "Hello"),),
    sampling=Sampling(temperature=0, top_p=1, top_k=0, min_p=0, repeat_penalty=1, max_tokens=1),
    language_code="",
)


class LlamaCppEngine:
    """A lock keeps replies apart, because they share one context; who comes next waits."""

    def __init__(self, model: LlamaModel, thread: EngineThreads) -> None:
        self._model = model
        self._thread = thread
        self._one_at_a_time = asyncio.Lock()

    @classmethod
    async def load(cls, path: Path, options: LlamaOptions, limit_s: float) -> "LlamaCppEngine":
        """Tries the file in another process, loads it, and writes a token, so that the first caller need not wait."""
        await _try_out(path, limit_s)
        thread = EngineThreads(1, "llama.cpp")
        try:
            engine = cls(await run_blocking(thread, lambda _stop: LlamaModel(path, options)), thread)
        except BaseException:
            thread.shutdown(wait=False)
            raise
        try:
            async for _ in engine.generate(_WARM_UP):
                pass
        except BaseException:
            await engine.close()
            raise
        return engine

    @property
    def context_tokens(self) -> int:
        """Tokens that prompt and reply may have together."""
        return self._model.context_tokens

    @property
    def stuck(self) -> str | None:
        """Why its thread must be taken for lost, if it must."""
        return self._thread.stuck

    async def generate(self, request: Generation) -> AsyncGenerator[ReplyEvent, None]:
        """The next message, as it is written."""
        async with self._one_at_a_time:
            events = iterate_blocking(self._thread, lambda stopped: write_reply(self._model, request, stopped))
            async with aclosing(events):
                async for event in events:
                    yield event

    async def close(self) -> None:
        """Frees the model, in its thread, after whatever that still does."""
        try:
            await run_blocking(self._thread, lambda _stop: self._model.close())
        finally:
            self._thread.shutdown(wait=False)


def default_threads() -> int:
    """One a physical core that this process may use: two on one core only take turns."""
    cpus = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set(range(os.cpu_count() or 1))
    cores = set()
    for cpu in cpus:
        siblings = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")
        with contextlib.suppress(OSError):
            cores.add(siblings.read_text(encoding="ascii"))
    return len(cores) or len(cpus)


def write_reply(model: LlamaModel, request: Generation, stopped: threading.Event) -> Generator[ReplyEvent, None, None]:
    """The work of the thread; looks at `stopped` after every slice of the prompt and every token."""
    sampling = request.sampling
    prompt = model.tokenize(request.messages)
    limit = _reply_limit(len(prompt), model.context_tokens, sampling.max_tokens)
    if sampling.seed is not None:
        model.forget()  # a prompt read in other portions may differ in its last digits, on a GPU, and so may the reply
    known = model.read(prompt, stopped)
    text = ReplyText(sampling.stop)
    written = 0
    reason = FinishReason.STOP
    with closing(model.write(prompt, sampling)) as tokens:
        while not stopped.is_set() and not text.is_stopped:
            if written == limit:
                reason = FinishReason.LENGTH
                break
            token = next(tokens, None)
            if token is None:
                break
            written += 1
            if delta := text.push(model.piece(token)):
                yield TextDelta(delta)
    if rest := text.flush():
        yield TextDelta(rest)
    yield Finished(reason, Usage(len(prompt), known, written))


def _reply_limit(prompt_tokens: int, context_tokens: int, max_tokens: int) -> int:
    """Tokens that the reply may have. A prompt longer than the context must not reach llama.cpp: it would end us."""
    room = context_tokens - prompt_tokens
    if room < min(max_tokens, _LEAST_ROOM_TOKENS):
        raise InvalidInputError(
            "messages",
            f"{prompt_tokens} tokens are too many: prompt and reply have {context_tokens} together",
            reason="CONTEXT_TOO_LONG",
        )
    return min(max_tokens, room)


async def _try_out(path: Path, limit_s: float) -> None:
    """Lets a process of its own load and run the file: llama.cpp does not raise over each bad one, it also aborts."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", llama_model.__name__, str(path)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(limit_s):
            said, _ = await process.communicate()
    except TimeoutError as error:
        raise EngineFailedError(f"llama.cpp does not come to an end with {path} within {limit_s:g} s") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode and process.returncode < 0:
        raise EngineFailedError(f"llama.cpp dies over {path} ({signal.Signals(-process.returncode).name})")
    if process.returncode:
        raise EngineFailedError(said.decode(errors="replace") or f"llama.cpp cannot run {path}")
