"""One interceptor for every server: each call runs inside a row of guards.

A guard is an async context manager around the handler: it may refuse a call, count it, bound it, or turn what it
raises into a status. Responses are written here, not by gRPC's own loop over the handler's generator: when a caller
goes away, the generator is closed and awaited at once, so a handler's `finally` is sure to run, and to run now.
"""

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import grpc


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

    def __init__(self, guards: Sequence[Guard]) -> None:
        self._guards = tuple(guards)

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

    def _guarded(self, handler: _Handler, method: str, metadata: dict[str, str]) -> _Handler:
        # The stubs describe handlers of the synchronous server only; on this one they are coroutines and generators.
        behaviour: Any = handler.unary_unary or handler.unary_stream or handler.stream_unary or handler.stream_stream

        async def answer_once(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
            async with _entered(self._guards, IncomingCall(method, metadata, context)):
                return await behaviour(request, context)

        async def answer_many(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> None:
            async with _entered(self._guards, IncomingCall(method, metadata, context)):
                responses = behaviour(request, context)
                if inspect.iscoroutine(responses):  # such as health's Watch, which writes its responses itself
                    await responses
                    return
                async with aclosing(responses):
                    async for response in responses:
                        await context.write(response)

        make = _MAKERS[bool(handler.request_streaming), bool(handler.response_streaming)]
        guarded: _Handler = make(
            answer_many if handler.response_streaming else answer_once,
            request_deserializer=handler.request_deserializer,
            response_serializer=handler.response_serializer,
        )
        return guarded


_MAKERS: dict[tuple[bool, bool], Callable[..., _Handler]] = {
    (False, False): grpc.unary_unary_rpc_method_handler,
    (False, True): grpc.unary_stream_rpc_method_handler,
    (True, False): grpc.stream_unary_rpc_method_handler,
    (True, True): grpc.stream_stream_rpc_method_handler,
}


@asynccontextmanager
async def _entered(guards: Sequence[Guard], call: IncomingCall) -> AsyncIterator[None]:
    """All guards as one: those outside see what the inner ones and the handler raise."""
    async with AsyncExitStack() as stack:
        for guard in guards:
            await stack.enter_async_context(guard(call))
        yield
