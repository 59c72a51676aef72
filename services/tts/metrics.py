"""What the mouth counts."""

from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Histogram

from services.common.metrics import LATENCY_BUCKETS_S


@dataclass(frozen=True)
class TtsMetrics:
    """Times of speech synthesis."""

    synthesis_seconds: Histogram
    first_audio_seconds: Histogram

    @classmethod
    def create(cls, registry: CollectorRegistry) -> "TtsMetrics":
        """Registers them."""
        return cls(
            Histogram(
                "tts_synthesis_time_seconds",
                "Time to synthesize a piece",
                ["backend"],
                registry=registry,
                buckets=LATENCY_BUCKETS_S,
            ),
            Histogram(
                "tts_first_audio_seconds",
                "From the first text to the first audio",
                registry=registry,
                buckets=LATENCY_BUCKETS_S,
            ),
        )
