"""What every call carries along: a request id, a trace context (W3C) and a deadline.

They are set once where a call comes in and read where calls go out, through context variables: whatever a handler
awaits, and every task that it starts, belongs to its call. A turn of a conversation has ids and a deadline of its own.
"""

import re
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from services.common.errors import DeadlineError

REQUEST_ID_KEY = "x-request-id"
TRACEPARENT_KEY = "traceparent"
_TRACEPARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})")
_REQUEST_ID_LENGTH = 64
_REQUEST_ID = re.compile(rf"[A-Za-z0-9._:-]{{1,{_REQUEST_ID_LENGTH}}}")
_SAMPLED = 1  # the one bit of the trace flags that says something to us


@dataclass(frozen=True)
class CallContext:
    """Who this work is for, and until when."""

    request_id: str
    trace_id: str
    span_id: str  # of this work, and the parent of what it calls
    sampled: str = "00"  # the flags, as they travel
    deadline: float | None = None  # on time.monotonic()'s clock
    parent_id: str = ""  # the caller's span; empty: the trace begins here

    @property
    def traceparent(self) -> str:
        """The header that the next service continues."""
        return f"00-{self.trace_id}-{self.span_id}-{self.sampled}"

    @property
    def is_sampled(self) -> bool:
        """Whether its spans are to be recorded."""
        return bool(int(self.sampled, 16) & _SAMPLED)


_current: ContextVar[CallContext | None] = ContextVar("call", default=None)


def current() -> CallContext | None:
    """The call that this code works for, if any."""
    return _current.get()


def enter(metadata: Mapping[str, str], deadline: float | None, *, sample: bool = False) -> CallContext:
    """Begins a call: continues the caller's ids where they are well formed, makes new ones otherwise.

    `sample`: whether a trace that begins here is to be recorded; of one that goes on, its beginner has decided.
    """
    given = _TRACEPARENT.fullmatch(metadata.get(TRACEPARENT_KEY, ""))
    request_id = metadata.get(REQUEST_ID_KEY, "")
    call = CallContext(
        request_id=request_id if _REQUEST_ID.fullmatch(request_id) else secrets.token_hex(8),
        trace_id=given[1] if given else secrets.token_hex(16),
        span_id=secrets.token_hex(8),
        sampled=given[3] if given else f"{sample:02x}",
        deadline=deadline,
        parent_id=given[2] if given else "",
    )
    _current.set(call)
    return call


@contextmanager
def turn_context(number: int, limit_s: float) -> Iterator[CallContext]:
    """A turn of the conversation that the current call is: what is awaited or started inside belongs to the turn.

    It has a trace of its own, which is recorded if the conversation's is, and as much time as it says: a conversation
    lasts much longer than any of its turns, or ends in the middle of one that is to be finished.
    """
    session = _current.get()
    base, suffix = (session.request_id if session else secrets.token_hex(8)), f".{number}"
    turn = CallContext(
        request_id=base[: _REQUEST_ID_LENGTH - len(suffix)] + suffix,
        trace_id=secrets.token_hex(16),
        span_id=secrets.token_hex(8),
        sampled=session.sampled if session else "00",
        deadline=time.monotonic() + limit_s,
    )
    token = _current.set(turn)
    try:
        yield turn
    finally:
        _current.reset(token)


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
