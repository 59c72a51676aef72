"""What every call carries along: a request id, a trace context (W3C) and a deadline.

They are set once where a call comes in and read where calls go out, through context variables: whatever a handler
awaits, and every task that it starts, belongs to its call.
"""

import re
import secrets
import time
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass

from services.common.errors import DeadlineError

REQUEST_ID_KEY = "x-request-id"
TRACEPARENT_KEY = "traceparent"
_TRACEPARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")


@dataclass(frozen=True)
class CallContext:
    """Who this work is for, and until when."""

    request_id: str
    trace_id: str
    span_id: str
    sampled: str = "00"
    deadline: float | None = None  # on time.monotonic()'s clock

    @property
    def traceparent(self) -> str:
        """The header that the next service continues."""
        return f"00-{self.trace_id}-{self.span_id}-{self.sampled}"


_current: ContextVar[CallContext | None] = ContextVar("call", default=None)


def current() -> CallContext | None:
    """The call that this code works for, if any."""
    return _current.get()


def enter(metadata: Mapping[str, str], deadline: float | None) -> CallContext:
    """Begins a call: continues the caller's ids where they are well formed, makes new ones otherwise."""
    given = _TRACEPARENT.fullmatch(metadata.get(TRACEPARENT_KEY, ""))
    request_id = metadata.get(REQUEST_ID_KEY, "")
    call = CallContext(
        request_id=request_id if _REQUEST_ID.fullmatch(request_id) else secrets.token_hex(8),
        trace_id=given[1] if given else secrets.token_hex(16),
        span_id=secrets.token_hex(8),
        sampled=given[3] if given else "00",
        deadline=deadline,
    )
    _current.set(call)
    return call


def remaining(limit_s: float) -> float:
    """Seconds that an outgoing call may take: its own limit, or less where the incoming call has less left."""
    call = _current.get()
    if call is None or call.deadline is None:
        return limit_s
    left = call.deadline - time.monotonic()
    if left <= 0:
        raise DeadlineError("no time is left for this call")
    return min(limit_s, left)


def outgoing_metadata() -> tuple[tuple[str, str], ...]:
    """The ids of this call, for the next service."""
    call = _current.get()
    if call is None:
        return ((REQUEST_ID_KEY, secrets.token_hex(8)),)
    return ((REQUEST_ID_KEY, call.request_id), (TRACEPARENT_KEY, call.traceparent))
