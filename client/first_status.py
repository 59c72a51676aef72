"""How a streaming call really ended.

A server that ends a stream while the client still sends makes the write in flight fail, and for that grpc.aio replaces
the status that the server sent with INTERNAL, "Internal error from Core" (grpcio 1.85: nine calls of ten whose client
sends a file as fast as it can). The server's own status is always set first, so it is noted at that very moment.
"""

from collections.abc import Coroutine
from typing import Any, TypeVar

import grpc

T = TypeVar("T")


class FirstStatus:
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
