"""A circuit breaker: after some failures in a row an engine is left alone for a while, then tried once."""

import time
from collections.abc import Callable
from enum import Enum


class BreakerState(Enum):
    """Whether requests pass."""

    CLOSED = "closed"  # they do
    OPEN = "open"  # they do not
    HALF_OPEN = "half-open"  # one may, to see


class CircuitBreaker:
    """Counts failures in a row. The clock is injected; only a monotonic one makes sense."""

    def __init__(
        self, failures_to_open: int = 3, open_for_s: float = 30.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._failures_to_open = failures_to_open
        self._open_for_s = open_for_s
        self._clock = clock
        self._failures = 0
        self._opened_at: float | None = None
        self._probing = False

    @property
    def state(self) -> BreakerState:
        """Open turns into half-open by the passing of time alone."""
        if self._opened_at is None:
            return BreakerState.CLOSED
        if self._clock() - self._opened_at < self._open_for_s:
            return BreakerState.OPEN
        return BreakerState.HALF_OPEN

    def try_acquire(self) -> bool:
        """Whether a request may pass now. Half-open, the first asker gets the probe, the others are refused."""
        state = self.state
        if state is BreakerState.HALF_OPEN and not self._probing:
            self._probing = True
            return True
        return state is BreakerState.CLOSED

    def record_success(self) -> None:
        """The request went well."""
        self._failures = 0
        self._opened_at = None
        self._probing = False

    def record_failure(self) -> None:
        """The request failed; a failed probe opens the breaker again at once."""
        self._failures += 1
        if self._probing or self._failures >= self._failures_to_open:
            self.trip()

    def trip(self) -> None:
        """Opens the breaker whatever the count."""
        self._opened_at = self._clock()
        self._probing = False

    def release(self) -> None:
        """The request ended without telling anything of the engine: cancelled, or refused for its input."""
        self._probing = False
