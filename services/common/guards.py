"""The guards that every server puts around its calls.

From the outside in: call context, measures, error reporting, token, admission, deadline, then the handler.
"""

import asyncio
import hmac
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import grpc
from google.protobuf.message import DecodeError

from services.common import calls
from services.common.errors import (
    CallAbortedError,
    CallError,
    DeadlineError,
    InternalError,
    InvalidInputError,
    LimitExceededError,
    UnauthenticatedError,
)
from services.common.interceptor import Guard, IncomingCall
from services.common.metrics import CallMetrics
from services.common.status import abort, from_rpc_error
from services.common.tasks import first_error
from services.common.tracing import Span, Tracer

_log = logging.getLogger(__name__)

# Health checks come from orchestrators and probes: they need no token, and no load may shut them out.
OPEN_METHODS = ("/grpc.health.v1.Health/",)
_TRACED_METHODS = "/superwhisper."  # probes would bury what people did
# What OpenTelemetry takes for a failed span of a server; the other statuses are the caller's affair.
_SERVERS_FAULTS = frozenset({"UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"})


def call_context(limits_s: Mapping[str, float], default_limit_s: float, tracer: Tracer) -> Guard:
    """Gives each call its ids and its deadline: the caller's, but never later than the method's own limit."""

    @asynccontextmanager
    async def guard(call: IncomingCall) -> AsyncIterator[None]:
        limit_s = limits_s.get(call.method, default_limit_s)
        asked_s = call.context.time_remaining()
        allowed_s = limit_s if asked_s is None else min(asked_s, limit_s)
        calls.enter(call.metadata, time.monotonic() + allowed_s, sample=tracer.is_on)
        yield

    return guard


def report_errors() -> Guard:
    """Turns whatever a handler raises into a status; nothing internal reaches the caller."""

    @asynccontextmanager
    async def guard(call: IncomingCall) -> AsyncIterator[None]:
        try:
            yield
        except grpc.aio.AbortError:
            raise
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise  # the caller went away, or the server stops
            # Some inner task was cancelled; without this the caller would wait for a status for ever.
            await abort(call.context, CallAbortedError("the work was cancelled"))
        except grpc.aio.InternalError as error:  # gRPC's own: nothing can be written to a caller who has left
            raise asyncio.CancelledError from error
        except Exception as error:
            answer = _as_call_error(error, call.method)
            if call.context.done():
                raise asyncio.CancelledError from error
            await abort(call.context, answer)

    return guard


def _as_call_error(error: BaseException, method: str) -> CallError:
    if isinstance(error, BaseExceptionGroup):  # a task group's way to tell what one of its tasks raised
        return _as_call_error(first_error(error), method)
    if isinstance(error, CallError):
        return error
    if isinstance(error, DecodeError):
        return InvalidInputError("message", "it is broken, or has text that is not UTF-8")
    if isinstance(error, grpc.aio.AioRpcError):
        return from_rpc_error(error, "another service")
    _log.error("unexpected error in %s", method, exc_info=error)
    return InternalError("internal error; the service's log has it under this request id")


def require_token(token: str | None) -> Guard:
    """Lets in only calls that carry the token, where there is one."""

    @asynccontextmanager
    async def guard(call: IncomingCall) -> AsyncIterator[None]:
        if token is not None and not call.method.startswith(OPEN_METHODS):
            given = call.metadata.get("authorization", "")
            if not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
                raise UnauthenticatedError("a valid token is needed: send `authorization: Bearer …`")
        yield

    return guard


def observe(metrics: CallMetrics, tracer: Tracer) -> Guard:
    """Counts calls, the status that their callers were told, and their time; records it as a span as well."""

    @asynccontextmanager
    async def guard(call: IncomingCall) -> AsyncIterator[None]:
        began = time.monotonic()
        metrics.active.labels(call.method).inc()
        code = grpc.StatusCode.OK.name
        try:
            yield
        except grpc.aio.AbortError:
            code = call.context.code().name
            raise
        except BaseException:  # all that errors are not reported of: the caller had gone
            code = grpc.StatusCode.CANCELLED.name
            raise
        finally:
            ended = time.monotonic()
            metrics.active.labels(call.method).dec()
            metrics.handled.labels(call.method, code).inc()
            metrics.seconds.labels(call.method).observe(ended - began)
            _trace(tracer, call.method, code, began, ended)

    return guard


def _trace(tracer: Tracer, method: str, code: str, began: float, ended: float) -> None:
    context = calls.current()
    if context is None or not method.startswith(_TRACED_METHODS):
        return
    name = method.removeprefix("/")
    attributes = {
        "rpc.system.name": "grpc",
        "rpc.method": name,
        "rpc.response.status_code": code,
        "superwhisper.stage": method.split(".")[1],  # /superwhisper.tts.v1.TtsService/Synthesize: tts
        "superwhisper.request_id": context.request_id,
    }
    span = Span(
        name,
        context.span_id,
        context.parent_id,
        began,
        ended,
        attributes,
        is_served_call=True,
        failed=code in _SERVERS_FAULTS,
    )
    tracer.record(context, span)


def admit(limits: Mapping[str, int]) -> Guard:
    """Serves at most so many calls of a method at once.

    gRPC's own `maximum_concurrent_rpcs` would turn health checks away as well.
    """
    active: Counter[str] = Counter()

    @asynccontextmanager
    async def guard(call: IncomingCall) -> AsyncIterator[None]:
        limit = limits.get(call.method)
        if limit is not None and active[call.method] >= limit:
            name = call.method.rsplit("/", 1)[-1]
            raise LimitExceededError(f"{limit} calls of {name} are being served, which is the limit; try again later")
        active[call.method] += 1
        try:
            yield
        finally:
            active[call.method] -= 1

    return guard


def bound_time() -> Guard:
    """Ends a call at its deadline, also where the caller gave none."""

    @asynccontextmanager
    async def guard(call: IncomingCall) -> AsyncIterator[None]:
        bound = asyncio.timeout(calls.remaining(float("inf")))
        try:
            async with bound:
                yield
        except TimeoutError as error:
            if not bound.expired():
                raise  # some time-out inside the handler that nobody caught: a bug, reported as one
            raise DeadlineError("the call took longer than its deadline allows") from error

    return guard
