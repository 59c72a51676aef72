"""One engine's try at a request: what it tells of the engine, and whether the next one may mend it."""

import logging
import time
from collections.abc import Callable
from typing import Any

from services.common.errors import (
    CallError,
    EngineFailedError,
    OutOfMemoryError,
    UnavailableError,
    UnsupportedError,
    UnusableAnswerError,
)
from services.common.metrics import ChainMetrics
from services.common.slot import Slot

_log = logging.getLogger(__name__)


class Attempt:
    """One engine's try at a request: records how it ends, and swallows the failures that the next engine mends."""

    def __init__(self, slot: Slot[Any], metrics: ChainMetrics) -> None:
        self.refusal: UnsupportedError | None = None
        self.out_of_memory: OutOfMemoryError | None = None
        self.timed_out = False
        self._slot = slot
        self._name = slot.name
        self._breaker = slot.breaker
        self._metrics = metrics
        self._began_at_s = time.monotonic()
        self._has_begun = False
        self._has_succeeded = False

    def began(self) -> None:
        """Part of the answer is out: from here on a failure ends the request."""
        self._has_begun = True

    def succeeded(self) -> None:
        """The whole answer is out."""
        self._has_succeeded = True

    def __enter__(self) -> "Attempt":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> bool:
        if self._has_succeeded:
            self._metrics.latency.labels(self._name).observe(time.monotonic() - self._began_at_s)
            self._end("ok", self._breaker.record_success)
            return False
        if isinstance(error, UnsupportedError):
            self.refusal = error
            self._end("unsupported", self._breaker.release)
            return not self._has_begun
        if not isinstance(error, Exception) or is_callers_affair(error):
            self._end("refused" if isinstance(error, CallError) else "cancelled", self._breaker.release)
            return False
        return self._fail(error)

    def _fail(self, error: Exception) -> bool:
        _log.warning("engine %s failed: %r", self._name, error)
        self.timed_out = isinstance(error, TimeoutError)
        self.out_of_memory = error if isinstance(error, OutOfMemoryError) else None
        self._metrics.errors.labels(self._name, _reason(error)).inc()
        # Else callers with odd requests, or many at once, could take an engine that works from all others.
        is_healthy = isinstance(error, UnusableAnswerError) or (self.timed_out and self._slot.has_an_excuse)
        self._end(
            "timeout" if self.timed_out else "failed",
            self._breaker.release if is_healthy else self._breaker.record_failure,
        )
        if not self._has_begun:
            self._metrics.fallbacks.labels(self._name).inc()
            return True
        if isinstance(error, CallError):
            return False
        raise EngineFailedError(f"{self._name} failed") from error

    def _end(self, status: str, record: Callable[[], None]) -> None:
        self._metrics.requests.labels(self._name, status, self._slot.gpu).inc()
        record()


def is_callers_affair(error: Exception) -> bool:
    """Whether it tells nothing of the engine, so that the next one would say the same."""
    return isinstance(error, CallError) and not isinstance(error, EngineFailedError | UnavailableError)


def _reason(error: Exception) -> str:
    if isinstance(error, CallError):
        return error.detailed_reason
    return "TIMEOUT" if isinstance(error, TimeoutError) else "UNEXPECTED"
