"""What the mind counts."""

from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from services.common.metrics import LATENCY_BUCKETS_S


@dataclass(frozen=True)
class LlmMetrics:
    """Replies, their tokens and their times."""

    waiting: Gauge
    response_seconds: Histogram
    first_token_seconds: Histogram
    tokens: Counter

    @classmethod
    def create(cls, registry: CollectorRegistry) -> "LlmMetrics":
        """Registers them."""
        return cls(
            Gauge("llm_waiting_requests", "Replies that wait for their turn", registry=registry),
            Histogram(
                "llm_response_time_seconds",
                "From the request to the end of its reply",
                registry=registry,
                buckets=LATENCY_BUCKETS_S,
            ),
            Histogram(
                "llm_first_token_seconds",
                "From the request to the first text",
                ["backend"],
                registry=registry,
                buckets=LATENCY_BUCKETS_S,
            ),
            Counter("llm_tokens_total", "Tokens: prompt, cached, completion", ["backend", "kind"], registry=registry),
        )


@dataclass(frozen=True)
class StepMetrics:
    """What the steps of one llama.cpp engine tell."""

    seconds: Histogram
    live: Gauge
    kept_tokens: Gauge


class LlamaMetrics:
    """Those of all llama.cpp engines of the chain."""

    def __init__(self, registry: CollectorRegistry) -> None:
        labels = ["backend"]
        self._seconds = Histogram(
            "llm_step_seconds", "A step of all replies together", labels, registry=registry, buckets=LATENCY_BUCKETS_S
        )
        self._live = Gauge(
            "llm_active_sequences", "Replies that are being read for or written", labels, registry=registry
        )
        self._kept = Gauge(
            "llm_kept_tokens", "Tokens of all conversations that are remembered", labels, registry=registry
        )

    def of(self, backend: str) -> StepMetrics:
        """Those of one engine."""
        return StepMetrics(self._seconds.labels(backend), self._live.labels(backend), self._kept.labels(backend))
