"""A server of OpenAI's HTTP API on a loopback port that answers as told: well, slowly, cut off, wrong or not at all.

    async with FakeOpenAi() as server:
        server.replies = [Reply.of(says("Hello"), ends("stop"), DONE)]
        ... server.url, server.requests

A reply is written piece by piece. Instead of bytes a piece may be a fault: HANG, DIE, or an event to wait for.
"""

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from types import TracebackType
from typing import Any, Self

from tests.support.servers import free_port


class Fault(Enum):
    """What goes wrong at this place of a reply."""

    HANG = auto()  # nothing more comes, until the client leaves
    DIE = auto()  # the connection is torn


HANG, DIE = Fault.HANG, Fault.DIE
Piece = bytes | Fault | asyncio.Event


@dataclass(frozen=True)
class Reply:
    """How a request is answered."""

    pieces: tuple[Piece, ...] = ()
    status: int = 200
    headers: tuple[str, ...] = ("Content-Type: text/event-stream",)

    @classmethod
    def of(cls, *pieces: Piece) -> "Reply":
        """A streamed one."""
        return cls(pieces)

    @classmethod
    def json(cls, content: object, status: int = 200) -> "Reply":
        """A whole document."""
        return cls((json.dumps(content).encode(),), status, ("Content-Type: application/json",))


@dataclass(frozen=True)
class Request:
    """What the server was asked."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any] = field(default_factory=dict)


def event(content: object) -> bytes:
    """One server-sent event."""
    return f"data: {json.dumps(content)}\n\n".encode()


def delta(**fields: object) -> bytes:
    """A chunk of a reply with these fields."""
    return event({"choices": [{"index": 0, "delta": fields, "finish_reason": None}]})


def says(text: str) -> bytes:
    """A chunk of text."""
    return delta(content=text)


def ends(reason: str) -> bytes:
    """The chunk that says why the reply ends."""
    return event({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})


def calls(index: int | None, id_: str | None = None, name: str | None = None, arguments: object = "") -> bytes:
    """A fragment of a tool call."""
    fragment: dict[str, Any] = {"function": {"arguments": arguments} | ({"name": name} if name else {})}
    fragment |= {"id": id_} if id_ else {}
    return delta(tool_calls=[fragment | ({} if index is None else {"index": index})])


def used(prompt: int, completion: int, cached: int = 0) -> bytes:
    """The chunk that counts tokens."""
    details = {"cached_tokens": cached}
    counts = {"prompt_tokens": prompt, "completion_tokens": completion, "prompt_tokens_details": details}
    return event({"choices": [], "usage": counts})


DONE = b"data: [DONE]\n\n"
HELLO = Reply.of(says("Hel"), says("lo."), ends("stop"), used(7, 2), DONE)
MODEL = "tiny"
_MISSING = Reply.json({"error": {"message": "not found"}}, 404)


class FakeOpenAi:
    """Serves while entered, or from `start` to `stop`; it can start again on the same port."""

    def __init__(self) -> None:
        self.port = free_port()
        self.pages = {"/v1/models": Reply.json({"object": "list", "data": [{"id": MODEL}]})}
        self.unknown_fields: frozenset[str] = frozenset()  # for which a strict server refuses a completion
        self.requests: list[Request] = []
        self.left = 0  # clients who went before their reply was written
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.replies = (HELLO,)

    @property
    def replies(self) -> Sequence[Reply]:
        """To the completions from now on, one after the other; the last one again and again."""
        return self._replies

    @replies.setter
    def replies(self, replies: Sequence[Reply]) -> None:
        self._replies = deque(replies)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def completions(self) -> list[dict[str, Any]]:
        """The bodies of the requests for completions."""
        return [request.body for request in self.requests if request.path == "/v1/chat/completions"]

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)

    async def stop(self) -> None:
        """Nobody listens any more, and all connections are torn."""
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            # The client may leave at any moment.
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                request = await _read(reader)
                self.requests.append(request)
                await self._write(self._reply_to(request), reader, writer)
        finally:
            writer.transport.abort()

    def _reply_to(self, request: Request) -> Reply:
        if request.path != "/v1/chat/completions":
            return self.pages.get(request.path, _MISSING)
        if unknown := sorted(self.unknown_fields & set(request.body)):
            return Reply.json({"error": {"message": f"unknown: {unknown}", "type": "invalid_request_error"}}, 400)
        return self._replies.popleft() if len(self._replies) > 1 else self._replies[0]

    async def _write(self, reply: Reply, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (f"HTTP/1.1 {reply.status} told", *reply.headers, "Transfer-Encoding: chunked")
        writer.write("\r\n".join((*head, "", "")).encode())
        gone = asyncio.create_task(reader.read())  # comes to an end when the client leaves
        try:
            for piece in reply.pieces:
                if piece is DIE or not await _pass(piece, gone, writer):
                    self.left += gone.done()
                    return
            writer.write(b"0\r\n\r\n")
            await writer.drain()
            await gone  # torn too early it may lose what was written; and no second request is answered on it
        finally:
            gone.cancel()
            await asyncio.wait([gone])


async def _pass(piece: Piece, gone: "asyncio.Task[bytes]", writer: asyncio.StreamWriter) -> bool:
    """Whether the client was still there after this piece."""
    if isinstance(piece, bytes):
        writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        await writer.drain()
        return not gone.done()
    waiting = asyncio.create_task(piece.wait() if isinstance(piece, asyncio.Event) else asyncio.Event().wait())
    try:
        await asyncio.wait([waiting, gone], return_when=asyncio.FIRST_COMPLETED)
        return waiting.done()
    finally:
        waiting.cancel()
        await asyncio.wait([waiting])


async def _read(reader: asyncio.StreamReader) -> Request:
    start, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(start.split()[1], headers, json.loads(body) if body else {})
