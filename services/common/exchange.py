"""Streaming calls to other services, whose true end is told and of which nothing is left behind.

Two things that grpc.aio (1.85) does not do by itself:

- A server that ends a stream while the client still sends makes the write in flight fail, and for that grpc.aio
  replaces the status that the server sent with INTERNAL, "Internal error from Core" (nine calls of ten whose client
  sends a file as fast as it can). The server's own status is always set first, so it is noted at that very moment.
- The task in which it reads a request iterator outlives a call that its server ended, and takes one item more from
  whatever feeds the iterator. So requests are written by a task of ours, which is ended and awaited.
"""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing
from typing import Any, TypeVar

import grpc

from services.common.tasks import cancel_and_wait

T = TypeVar("T")


async def exchange(call: Any, requests: AsyncGenerator[Any, None] | None = None) -> AsyncGenerator[Any, None]:
    """The responses of a streaming call to which the requests, if any, are written meanwhile.

    Raises the AioRpcError that the call really ended with. The call ends when nobody reads on.
    """
    status = _FirstStatus(call)
    writer = None if requests is None else asyncio.create_task(_write(call, requests), name="requests")
    try:
        async for response in call:
            yield response
    except grpc.aio.AioRpcError as raised:
        error = status.error(raised)
        if error is not None:
            raise error from raised
    finally:
        call.cancel()
        if writer is not None:
            await cancel_and_wait(writer)


async def _write(call: Any, requests: AsyncGenerator[Any, None]) -> None:
    try:
        async with aclosing(requests):
            async for request in requests:
                await call.write(request)
            await call.done_writing()
    except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
        return  # the call is over, and whoever reads it learns why
    except BaseException:
        call.cancel()
        raise


class _FirstStatus:
    """Notes the first status of a call."""

    def __init__(self, call: Any) -> None:
        self._is_known = False
        self._error: grpc.aio.AioRpcError | None = None
        call.add_done_callback(self._note)

    def error(self, raised: grpc.aio.AioRpcError) -> grpc.aio.AioRpcError | None:
        """The error that the call really ended with, None where it ended well; `raised` where nothing else is known."""
        return self._error if self._is_known else raised

    def _note(self, call: Any) -> None:
        if self._is_known:
            return
        self._is_known = True
        code = _result(call.code())
        if code is not grpc.StatusCode.OK:
            details, trailing = _result(call.details()), _result(call.trailing_metadata())
            self._error = grpc.aio.AioRpcError(code, grpc.aio.Metadata(), trailing or grpc.aio.Metadata(), details)


def _result(coroutine: Coroutine[Any, Any, T]) -> T:
    """What the coroutine returns: of a call that is done it has nothing to wait for, and later would be too late."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        value: T = end.value
        return value
    coroutine.close()
    raise AssertionError("the call is not done")
