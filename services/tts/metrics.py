"""What the mouth counts."""

from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Histogram

from services.common.metrics import LATENCY_BUCKETS_S

# From a phrase that was in the cache to an engine that is too slow for a conversation (1).
_RTF_BUCKETS = (0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2)


@dataclass(frozen=True)
class TtsMetrics:
    """Speech synthesis: how much, and how fast."""

    synthesis_seconds: Histogram
    rtf: Histogram
    characters: Counter
    first_audio_seconds: Histogram

    @classmethod
    def create(cls, registry: CollectorRegistry) -> "TtsMetrics":
        """Registers them."""
        backend = ["backend"]
        return cls(
            Histogram(
                "tts_synthesis_time_seconds",
                "Time until a phrase was spoken",
                backend,
                registry=registry,
                buckets=LATENCY_BUCKETS_S,
            ),
            Histogram(
                "tts_rtf",
                "The same as a share of the phrase's own length",
                backend,
                registry=registry,
                buckets=_RTF_BUCKETS,
            ),
            Counter("tts_characters_total", "Characters of text spoken", backend, registry=registry),
            Histogram(
                "tts_first_audio_seconds",
                "From the first text to the first audio",
                registry=registry,
                buckets=LATENCY_BUCKETS_S,
            ),
        )

    def note(self, backend: str, characters: int, took_s: float, audio_s: float) -> None:
        """A phrase was spoken."""
        self.synthesis_seconds.labels(backend).observe(took_s)
        self.characters.labels(backend).inc(characters)
        if audio_s:
            self.rtf.labels(backend).observe(took_s / audio_s)
