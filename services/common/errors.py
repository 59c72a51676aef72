"""Every error that SuperWhisper raises on purpose.

SuperWhisperError
├── CallError                   answers a call; owns its gRPC status
│   ├── InvalidInputError       INVALID_ARGUMENT     the caller sent something wrong; `field` names it
│   ├── UnsupportedError        UNIMPLEMENTED        nothing here can do that
│   ├── OutOfRangeError         OUT_OF_RANGE         more than a published limit allows
│   ├── NotFoundError           NOT_FOUND            no such voice, model, session
│   ├── UnauthenticatedError    UNAUTHENTICATED      no token, or a wrong one
│   ├── LimitExceededError      RESOURCE_EXHAUSTED   too many, too fast, too long silent
│   ├── DeadlineError           DEADLINE_EXCEEDED    it took too long
│   ├── CallAbortedError        ABORTED              the work was cancelled inside the service
│   ├── UnavailableError        UNAVAILABLE          no engine, or the service is going down
│   ├── EngineFailedError       INTERNAL             an engine broke over this request
│   │   ├── OutOfMemoryError                         it had not memory enough: the chain unloads it for a while
│   │   └── UnusableAnswerError                      it works, and what its model made of this request is no use
│   ├── InternalError           INTERNAL             a bug; nothing of it leaks
│   └── RemoteError             as the other service said
├── StuckError                  ends the process: a thread of an engine hangs, only a new process mends that
└── StartupError                ends the process, or the command, with a sentence for a person
    ├── SettingsError           a wrong key or value
    ├── PortInUseError          somebody else listens there
    ├── InsecureError           a public address without TLS and token
    ├── GpuError                no graphics card that fits
    └── ModelError              a model is missing, broken or cannot be fetched
"""

from typing import ClassVar

import grpc


class SuperWhisperError(Exception):
    """The root of the tree above."""


class CallError(SuperWhisperError):
    """An answer to a caller other than success."""

    status: ClassVar[grpc.StatusCode] = grpc.StatusCode.UNKNOWN
    reason: ClassVar[str] = "UNKNOWN"
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, field: str = "", reason: str = "") -> None:
        """`reason` sharpens the class's own where a caller must tell cases apart."""
        super().__init__(message)
        self.message = message
        self.field = field
        self.detailed_reason = reason or self.reason


class InvalidInputError(CallError):
    """The caller sent something wrong; `field` names it."""

    status = grpc.StatusCode.INVALID_ARGUMENT
    reason = "INVALID_INPUT"

    def __init__(self, field: str, message: str, *, reason: str = "") -> None:
        super().__init__(f"{field}: {message}", field=field, reason=reason)


class UnsupportedError(CallError):
    """Nothing here can do that."""

    status = grpc.StatusCode.UNIMPLEMENTED
    reason = "UNSUPPORTED"


class OutOfRangeError(CallError):
    """More than a published limit allows."""

    status = grpc.StatusCode.OUT_OF_RANGE
    reason = "LIMIT_REACHED"


class NotFoundError(CallError):
    """No such thing."""

    status = grpc.StatusCode.NOT_FOUND
    reason = "NOT_FOUND"


class UnauthenticatedError(CallError):
    """No token, or a wrong one."""

    status = grpc.StatusCode.UNAUTHENTICATED
    reason = "UNAUTHENTICATED"


class LimitExceededError(CallError):
    """Too many, too fast, or too long silent."""

    status = grpc.StatusCode.RESOURCE_EXHAUSTED
    reason = "TOO_MANY_CALLS"
    retryable = True


class DeadlineError(CallError):
    """It took too long."""

    status = grpc.StatusCode.DEADLINE_EXCEEDED
    reason = "DEADLINE_EXCEEDED"
    retryable = True


class CallAbortedError(CallError):
    """The work was cancelled inside the service."""

    status = grpc.StatusCode.ABORTED
    reason = "ABORTED"
    retryable = True


class UnavailableError(CallError):
    """No engine can take the request, or the service is going down."""

    status = grpc.StatusCode.UNAVAILABLE
    reason = "ENGINE_UNAVAILABLE"
    retryable = True


class EngineFailedError(CallError):
    """An engine broke over this request."""

    status = grpc.StatusCode.INTERNAL
    reason = "ENGINE_FAILED"
    retryable = True


class OutOfMemoryError(EngineFailedError):
    """An engine had not memory enough for this request; unloaded, it leaves room for a smaller one."""

    reason = "OUT_OF_MEMORY"


class UnusableAnswerError(EngineFailedError):
    """An engine works, but what its model made of this request is no use. The next one may do better."""

    reason = "UNUSABLE_ANSWER"


class InternalError(CallError):
    """A bug. What the caller reads of it is only this sentence."""

    status = grpc.StatusCode.INTERNAL
    reason = "INTERNAL"


class RemoteError(CallError):
    """What another service answered; passed on as it is."""

    status: grpc.StatusCode  # type: ignore[misc]  # one class stands for every status of another service
    retryable: bool  # type: ignore[misc]

    def __init__(self, status: grpc.StatusCode, message: str, *, reason: str, retryable: bool, field: str = "") -> None:
        super().__init__(message, field=field, reason=reason)
        self.status = status
        self.retryable = retryable


class StuckError(SuperWhisperError):
    """A thread of an engine does not come back; only a new process mends that."""


class StartupError(SuperWhisperError):
    """Ends the process, or the command, with a sentence for a person."""


class SettingsError(StartupError):
    """A wrong key or value in the settings."""


class PortInUseError(StartupError):
    """Somebody else listens on the port."""


class InsecureError(StartupError):
    """A public address was asked for without what makes it safe."""


class GpuError(StartupError):
    """No graphics card fits; says what was found, and what is wrong with each."""


class ModelError(StartupError):
    """A model is missing, broken or cannot be fetched."""
