"""One of the services that can do a stage's work, and what is known of it."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge

from services.common.breaker import BreakerState, CircuitBreaker
from services.common.errors import CallError
from services.orchestrator.ports import Stage

_log = logging.getLogger(__name__)
ClientT = TypeVar("ClientT")
# A replica that froze is found out by its health two seconds later; until then nobody else should have to wait for it.
_DOUBTED_S = 5.0


@dataclass(frozen=True)
class ReplicaMetrics:
    """What is counted of every replica."""

    serving: Gauge
    breaker_open: Gauge
    failures: Counter

    @classmethod
    def create(cls, registry: CollectorRegistry) -> "ReplicaMetrics":
        """Registers them."""
        labels = ["stage", "address"]
        return cls(
            Gauge("pipeline_replica_serving", "1 while a replica says that it serves", labels, registry=registry),
            Gauge("pipeline_replica_breaker_open", "1 while a replica is left alone", labels, registry=registry),
            Counter("pipeline_replica_failures_total", "Failures of replicas", labels, registry=registry),
        )


class Replica(Generic[ClientT]):
    """Its client, its breaker, and what its health and its calls tell."""

    def __init__(
        self,
        stage: Stage,
        address: str,
        client: ClientT,
        metrics: ReplicaMetrics,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.client = client
        self.breaker = CircuitBreaker(clock=clock)
        self.name = f"{stage.value} at {address}"
        self._clock = clock
        self._serves = False  # as far as its health told
        self._failed_at: float | None = None
        self._failures = metrics.failures.labels(stage.value, address)
        metrics.serving.labels(stage.value, address).set_function(lambda: float(self._serves))
        metrics.breaker_open.labels(stage.value, address).set_function(self._is_left_alone)

    @property
    def is_doubtful(self) -> bool:
        """Whether others are to be tried before it."""
        has_failed_lately = self._failed_at is not None and self._clock() - self._failed_at < _DOUBTED_S
        return has_failed_lately or not self._serves

    def tell_health(self, *, serves: bool) -> None:
        """What its health says now. One that comes back is another process, or has mended itself: it begins anew."""
        if serves is self._serves:
            return
        _log.info("%s %s", self.name, "serves" if serves else "does not serve")
        if serves:
            self.breaker.record_success()
            self._failed_at = None
        self._serves = serves

    def gave_something(self) -> None:
        """A call has its first result. That is enough of a probe: a stream may last for an hour."""
        if self.breaker.state is not BreakerState.CLOSED:
            self.breaker.record_success()

    def failed(self, error: CallError) -> None:
        """A call broke."""
        _log.warning("%s failed (%s): %s", self.name, error.detailed_reason, error.message)
        self._failures.inc()
        self._failed_at = self._clock()
        self.breaker.record_failure()

    def _is_left_alone(self) -> float:
        return float(self.breaker.state is BreakerState.OPEN)
