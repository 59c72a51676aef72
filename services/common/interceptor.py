"""One interceptor for every server: each call runs inside a row of guards.

A guard is an async context manager around the handler: it may refuse a call, count it, bound it, or turn what it
raises into a status. Responses are written here, not by gRPC's own loop over the handler's generator: when a caller
goes away, the generator is closed and awaited at once, so a handler's `finally` is sure to run, and to run now.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import grpc

from services.common.errors import LimitExceededError
from services.common.tasks import close_for_sure


@dataclass(frozen=True)
class IncomingCall:
    """What a guard may know of a call."""

    method: str
    metadata: dict[str, str]
    context: grpc.aio.ServicerContext[Any, Any]


Guard = Callable[[IncomingCall], AbstractAsyncContextManager[None]]
_Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"  # generic only in its type stubs


class GuardInterceptor(grpc.aio.ServerInterceptor):
    """Puts the guards around every handler, the first outermost."""

    def __init__(self, guards: Sequence[Guard], unread_limit_s: float) -> None:
        self._guards = tuple(guards)
        self._unread_limit_s = unread_limit_s
        self._running: set[asyncio.Task[Any]] = set()

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable["_Handler | None"]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> "_Handler | None":
        """Called by gRPC for each call."""
        handler = await continuation(handler_call_details)
        if handler is None:  # gRPC answers UNIMPLEMENTED itself
            return handler
        pairs = handler_call_details.invocation_metadata or ()
        metadata = {str(key): value for key, value in pairs if isinstance(value, str)}
        return self._guarded(handler, handler_call_details.method, metadata)

    async def wait_for_clean_up(self, limit_s: float) -> None:
        """Waits for handlers that a stopped server cut off: gRPC cancels them, but does not wait for them."""
        if self._running:
            await asyncio.wait(self._running, timeout=limit_s)

    @asynccontextmanager
    async def _entered(self, call: IncomingCall) -> AsyncIterator[None]:
        """All guards as one: those outside see what the inner ones and the handler raise."""
        if task := asyncio.current_task():  # gRPC runs each call in one of its own
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        async with AsyncExitStack() as stack:
            for guard in self._guards:
                await stack.enter_async_context(guard(call))
            yield

    async def _write(self, context: grpc.aio.ServicerContext[Any, Any], response: Any) -> None:
        """Writes to a caller who reads. One who does not must not hold what the call holds."""
        limit = asyncio.timeout(self._unread_limit_s)
        try:
            async with limit:
                await context.write(response)
        except TimeoutError as error:
            if not limit.expired():
                raise
            raise LimitExceededError(
                f"no response was read for {self._unread_limit_s:g} s", reason="NOT_READ"
            ) from error

    def _guarded(self, handler: _Handler, method: str, metadata: dict[str, str]) -> _Handler:
        # The stubs describe handlers of the synchronous server only; on this one they are coroutines and generators.
        behaviour: Any = handler.unary_unary or handler.unary_stream or handler.stream_unary or handler.stream_stream
        streaming, parse = handler.request_streaming, handler.request_deserializer

        def read(request: Any) -> Any:
            # A single request is parsed inside of the guards: gRPC would tell the caller which exception a broken one
            # raised. The messages of a stream are parsed when the handler asks for them.
            return request if streaming or parse is None else parse(request)

        async def answer_once(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
            async with self._entered(IncomingCall(method, metadata, context)):
                return await behaviour(read(request), context)

        async def answer_many(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> None:
            async with self._entered(IncomingCall(method, metadata, context)):
                responses = behaviour(read(request), context)
                try:
                    async for response in responses:
                        await self._write(context, response)
                finally:
                    # When a blocked write fails because the caller left, gRPC cancels this task just then, in the
                    # middle of the handler's clean-up.
                    await close_for_sure(responses)

        make = _MAKERS[bool(streaming), bool(handler.response_streaming)]
        guarded: _Handler = make(
            answer_many if handler.response_streaming else answer_once,
            request_deserializer=parse if streaming else None,
            response_serializer=handler.response_serializer,
        )
        return guarded


_MAKERS: dict[tuple[bool, bool], Callable[..., _Handler]] = {
    (False, False): grpc.unary_unary_rpc_method_handler,
    (False, True): grpc.unary_stream_rpc_method_handler,
    (True, False): grpc.stream_unary_rpc_method_handler,
    (True, True): grpc.stream_stream_rpc_method_handler,
}
