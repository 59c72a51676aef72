"""One replica's try at a call: what it tells of the replica, and whether another try may mend it."""

import time
from enum import Enum
from typing import Any

import grpc

from services.common import calls
from services.common.errors import CallError
from services.orchestrator.replica import Replica

# The caller wants something impossible, or may not: the next replica would say the same. These are what our services
# answer of their own accord, and gRPC where a replica is no such service at all.
_CALLERS_AFFAIR = frozenset(
    {
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.UNIMPLEMENTED,
        grpc.StatusCode.NOT_FOUND,
        grpc.StatusCode.OUT_OF_RANGE,
        grpc.StatusCode.UNAUTHENTICATED,
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.FAILED_PRECONDITION,
        grpc.StatusCode.ALREADY_EXISTS,
    }
)
# It goes down in good order; or its engines work, but what a model made of this one request is no use.
_GOOD_REASONS = frozenset({"DRAINING", "UNUSABLE_ANSWER"})


class Verdict(Enum):
    """What a failure tells of the replica."""

    REFUSED = "refused"  # nothing: it is the caller's affair
    UNABLE = "unable"  # it cannot take this call, and is none the worse for that
    BROKEN = "broken"  # something is wrong with it


def judge(error: CallError) -> Verdict:
    """By its status and its reason alone."""
    if error.status in _CALLERS_AFFAIR:
        return Verdict.REFUSED
    if error.status is grpc.StatusCode.RESOURCE_EXHAUSTED or error.detailed_reason in _GOOD_REASONS:
        return Verdict.UNABLE
    return Verdict.BROKEN


class Trial:
    """Records how a try ends, and keeps the failure if another try may mend it: one before the first result."""

    def __init__(self, replica: Replica[Any]) -> None:
        self.replica = replica
        self.failure: CallError | None = None
        self.verdict: Verdict | None = None
        self._has_begun = False
        self._has_succeeded = False

    def began(self) -> None:
        """The first result is out, or a later one: from here on a failure ends the call."""
        if not self._has_begun:
            self._has_begun = True
            self.replica.gave_something()

    def succeeded(self) -> None:
        """All results are out."""
        self._has_succeeded = True

    def __enter__(self) -> "Trial":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> bool:
        if self._has_succeeded:
            self.replica.breaker.record_success()
            return False
        if not isinstance(error, CallError):  # whoever read has left
            self._was_not_to_blame()
            return False
        self.failure, self.verdict = error, judge(error)
        if self.verdict is Verdict.BROKEN and not _callers_time_is_over():
            self.replica.failed(error)
        else:
            self._was_not_to_blame()
        return not self._has_begun and self.verdict is not Verdict.REFUSED

    def _was_not_to_blame(self) -> None:
        """What gave something worked; of what did not, nothing is known."""
        breaker = self.replica.breaker
        breaker.record_success() if self._has_begun else breaker.release()


def _callers_time_is_over() -> bool:
    """Then the end of its time is all that the failure tells; impatient callers do not make a replica a bad one."""
    call = calls.current()
    return call is not None and call.deadline is not None and call.deadline <= time.monotonic()
