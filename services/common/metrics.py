"""Metrics every service has, and the loopback port that shows them.

Each process makes one registry in its composition root and hands it down; there is no global one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from services.common.errors import PortInUseError

# From a cached answer (1 ms) to a long reply (60 s).
LATENCY_BUCKETS_S = (0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.45, 0.6, 0.8, 1.2, 2, 5, 10, 30, 60)


@dataclass(frozen=True)
class CallMetrics:
    """What is counted of every gRPC call."""

    handled: Counter
    active: Gauge
    seconds: Histogram

    @classmethod
    def create(cls, registry: CollectorRegistry) -> "CallMetrics":
        """Registers them."""
        return cls(
            Counter("grpc_calls_total", "Calls handled", ["method", "code"], registry=registry),
            Gauge("grpc_calls_active", "Calls being served now", ["method"], registry=registry),
            Histogram("grpc_call_seconds", "Time of a call", ["method"], registry=registry, buckets=LATENCY_BUCKETS_S),
        )


@dataclass(frozen=True)
class ChainMetrics:
    """What is counted of a service's engines."""

    requests: Counter
    errors: Counter
    latency: Histogram
    fallbacks: Counter
    ready: Gauge
    breaker_open: Gauge

    @classmethod
    def create(cls, registry: CollectorRegistry, service: str) -> "ChainMetrics":
        """Registers them under the service's name."""
        backend = ["backend"]
        return cls(
            Counter(
                f"{service}_requests_total",
                "Requests to engines: ok, failed, timeout, refused, unsupported, cancelled",
                ["backend", "status", "gpu"],
                registry=registry,
            ),
            Counter(f"{service}_errors_total", "Failures of engines", ["backend", "reason"], registry=registry),
            Histogram(
                f"{service}_latency_seconds",
                "Time of a request that an engine fulfilled",
                backend,
                registry=registry,
                buckets=LATENCY_BUCKETS_S,
            ),
            Counter(f"{service}_engine_fallbacks_total", "Falls to the next engine", backend, registry=registry),
            Gauge(f"{service}_engine_ready", "1 while an engine is loaded", backend, registry=registry),
            Gauge(f"{service}_engine_breaker_open", "1 while a breaker is open", backend, registry=registry),
        )


@dataclass(frozen=True)
class GpuMetrics:
    """What is told of the card that a service uses."""

    usage_percent: Gauge
    own_bytes: Gauge

    @classmethod
    def create(cls, registry: CollectorRegistry, service: str) -> "GpuMetrics":
        """Registers them."""
        return cls(
            Gauge("gpu_memory_usage_percent", "Memory of the card in use", ["gpu_model"], registry=registry),
            Gauge(f"{service}_vram_usage_bytes", "Memory of the card that this service uses", registry=registry),
        )


@contextmanager
def exposed(registry: CollectorRegistry, host: str, port: int) -> Iterator[None]:
    """Serves the metrics over HTTP; port 0 turns them off."""
    if port == 0:
        yield
        return
    try:
        # The address is named because prometheus_client's default is every interface.
        server, thread = start_http_server(port, addr=host, registry=registry)
    except OSError as error:
        raise PortInUseError(
            f"the metrics port {host}:{port} cannot be used ({error.strerror}); stop what uses it or set another one"
        ) from error
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
