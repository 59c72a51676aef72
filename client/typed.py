"""Lines that are typed, or come through a pipe."""

import asyncio
import codecs
import os
import sys
import threading
from collections.abc import AsyncGenerator, AsyncIterator
from concurrent.futures import CancelledError
from contextlib import aclosing

_READ_BYTES = 4096
_WAITING_PIECES = 16
_LONGEST_LINE = 64_000  # characters: 4000, all that may be sent at once, in the longest form that JSON has for them


async def typed_text() -> AsyncGenerator[str, None]:
    """What comes in on stdin, as it comes, until its end.

    A thread reads it: neither Windows nor plain files let asyncio wait for them. Nobody can end a thread that waits for
    a key, so it is a daemon; and it reads the descriptor itself, because an interpreter that ends while a thread holds
    the lock of `sys.stdin` dies of it.
    """
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[bytes] = asyncio.Queue(_WAITING_PIECES)
    threading.Thread(target=_read, args=(loop, queue), name="stdin", daemon=True).start()
    decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode
    while piece := await queue.get():
        yield decode(piece)
    if rest := decode(b"", final=True):
        yield rest


def _read(loop: asyncio.AbstractEventLoop, queue: "asyncio.Queue[bytes]") -> None:
    piece = b"-"
    while piece and not loop.is_closed():
        try:
            piece = os.read(sys.stdin.fileno(), _READ_BYTES)
        except (OSError, ValueError, AttributeError):  # closed, or a program without any stdin: there is nothing
            piece = b""
        put = queue.put(piece)
        try:
            asyncio.run_coroutine_threadsafe(put, loop).result()
        except (RuntimeError, CancelledError):  # the loop is over, and so is the command
            put.close()
            return


async def whole_lines(text: AsyncIterator[str]) -> AsyncGenerator[str, None]:
    """The lines in the text, each as soon as it is complete, also those that are empty: Enter alone is an answer."""
    line = ""
    async for piece in text:
        *complete, rest = piece.split("\n")
        for end in complete:
            yield _joined(line, end)
            line = ""
        line = _joined(line, rest)
    if line:
        yield line


def _joined(line: str, end: str) -> str:
    return line + end[: _LONGEST_LINE - len(line)]


async def lines(text: AsyncIterator[str]) -> AsyncIterator[str]:
    """The lines in the text that say something, each as soon as it is complete."""
    async for line in whole_lines(text):
        if said := line.strip():
            yield said


async def typed_lines() -> AsyncGenerator[str, None]:
    """The lines that are typed."""
    async with aclosing(typed_text()) as text:
        async for line in lines(text):
            yield line
