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
