"""What the orchestrator counts of turns."""

from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from services.common.metrics import LATENCY_BUCKETS_S
from services.orchestrator.events import Outcome, Timings

_STAGES = {
    "endpoint": "endpoint_ms",
    "transcript": "transcript_ms",
    "first_token": "first_token_ms",
    "first_clause": "first_clause_ms",
    "first_audio": "first_audio_ms",
    "reply_complete": "reply_complete_ms",
    "total": "total_ms",
}


@dataclass(frozen=True)
class PipelineMetrics:
    """Turns, their failures and where their time went."""

    turns: Counter
    errors: Counter
    latency: Histogram
    stages: Histogram
    sessions: Gauge

    @classmethod
    def create(cls, registry: CollectorRegistry) -> "PipelineMetrics":
        """Registers them."""
        return cls(
            Counter("pipeline_requests_total", "Turns", ["outcome"], registry=registry),
            Counter("pipeline_errors_total", "Failures of stages", ["component"], registry=registry),
            Histogram(
                "pipeline_latency_seconds",
                "Voice to voice: from the user's last word to the first reply sample sent",
                registry=registry,
                buckets=LATENCY_BUCKETS_S,
            ),
            Histogram(
                "pipeline_stage_seconds",
                "From the user's last word to the end of each stage",
                ["stage"],
                registry=registry,
                buckets=LATENCY_BUCKETS_S,
            ),
            Gauge("pipeline_sessions_active", "Conversations open now", registry=registry),
        )

    def turn_finished(self, outcome: Outcome, timings: Timings) -> None:
        """A turn is over."""
        self.turns.labels(outcome.value).inc()
        if timings.endpoint_ms is not None and timings.first_audio_ms is not None:  # spoken, and answered by voice
            self.latency.observe(timings.first_audio_ms / 1000)
        for stage, field in _STAGES.items():
            took_ms: float | None = getattr(timings, field)
            if took_ms is not None:
                self.stages.labels(stage).observe(took_ms / 1000)
