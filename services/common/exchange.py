"""Streaming calls to other services, whose true end is told and of which nothing is left behind.

Two things that grpc.aio (1.85) does not do by itself:

- A server that ends a stream while the client still sends makes the write in flight fail, and for that grpc.aio
  replaces the status that the server sent with INTERNAL, "Internal error from Core" (nine calls of ten whose client
  sends a file as fast as it can). The server's own status is set as well, mostly before and sometimes after that one,
  so every status is looked at in the moment that it is set, and the placeholder is not believed.
- The task in which it reads a request iterator outlives a call that its server ended, and takes one item more from
  whatever feeds the iterator. So requests are written by a task of ours, which is ended and awaited.

And one thing that it does: the message that comes for a read whose task was cancelled is lost together with its memory,
some kilobytes for each caller who leaves while audio arrives.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Coroutine
from typing import Any, TypeVar

import grpc

from services.common.tasks import cancel_and_wait, close_for_sure, wait_for_end

T = TypeVar("T")
_PLACEHOLDER = "Internal error from Core"
_STATUS_LIMIT_S = 5.0  # the call is over when a write fails: its status is on the way
_LOOK_EVERY_S = 0.001


async def exchange(call: Any, requests: AsyncGenerator[Any, None] | None = None) -> AsyncGenerator[Any, None]:
    """The responses of a streaming call to which the requests, if any, are written meanwhile.

    Raises the AioRpcError that the call really ended with. The call ends when nobody reads on.
    """
    status = _SentStatus(call)
    writer = None if requests is None else asyncio.create_task(_write(call, requests), name="requests")
    try:
        responses = call.__aiter__()  # unlike its `read`, it also gives what came before the call was over
        while (response := await _read(call, responses)) is not grpc.aio.EOF:
            yield response
    except grpc.aio.AioRpcError as raised:
        error = await status.error(raised)
        if error is not None:
            raise error from raised
    finally:
        call.cancel()
        if writer is not None:
            await cancel_and_wait(writer)


async def _read(call: Any, responses: Any) -> Any:
    """The next response, or EOF. A read is never cancelled, but its call, after which it ends by itself."""
    reading = asyncio.ensure_future(anext(responses, grpc.aio.EOF))
    try:
        return await asyncio.shield(reading)
    except asyncio.CancelledError:
        call.cancel()
        await wait_for_end(reading)
        raise


async def _write(call: Any, requests: AsyncGenerator[Any, None]) -> None:
    try:
        try:
            async for request in requests:
                await call.write(request)
            await call.done_writing()
        finally:
            # The failure of a write and the end of the exchange, which cancels this task, come together.
            await close_for_sure(requests)
    except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
        return  # the call is over, and whoever reads it learns why
    except BaseException:
        call.cancel()
        raise


class _SentStatus:
    """Notes the status that the server sent."""

    def __init__(self, call: Any) -> None:
        self._call = call
        self._is_known = False
        self._error: grpc.aio.AioRpcError | None = None
        call.add_done_callback(self._note)

    async def error(self, raised: grpc.aio.AioRpcError) -> grpc.aio.AioRpcError | None:
        """The error that the call really ended with, None where it ended well; `raised` where nothing else is known."""
        ends = time.monotonic() + _STATUS_LIMIT_S
        while not self._is_known and time.monotonic() < ends:
            await asyncio.sleep(_LOOK_EVERY_S)  # nothing tells of a status that takes the placeholder's place
            self._note(self._call)
        return self._error if self._is_known else raised

    def _note(self, call: Any) -> None:
        code, details = _result(call.code()), _result(call.details())
        if self._is_known or (code is grpc.StatusCode.INTERNAL and details == _PLACEHOLDER):
            return
        self._is_known = True
        if code is not grpc.StatusCode.OK:
            trailing = _result(call.trailing_metadata()) or grpc.aio.Metadata()
            self._error = grpc.aio.AioRpcError(code, grpc.aio.Metadata(), trailing, details)


def _result(coroutine: Coroutine[Any, Any, T]) -> T:
    """What the coroutine returns: of a call that is done it has nothing to wait for, and later would be too late."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        value: T = end.value
        return value
    coroutine.close()
    raise AssertionError("the call is not done")
