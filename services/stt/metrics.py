"""What the ears count."""

from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Histogram

from services.common.metrics import LATENCY_BUCKETS_S

_RTF_BUCKETS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 2, 5)


@dataclass(frozen=True)
class SttMetrics:
    """Transcriptions and their times."""

    transcriptions: Counter
    seconds: Histogram
    rtf: Histogram

    @classmethod
    def create(cls, registry: CollectorRegistry) -> "SttMetrics":
        """Registers them."""
        return cls(
            Counter("stt_transcriptions_total", "Utterances transcribed", ["backend"], registry=registry),
            Histogram(
                "stt_transcription_time_seconds",
                "From the end of an utterance to its final transcript",
                ["backend"],
                registry=registry,
                buckets=LATENCY_BUCKETS_S,
            ),
            Histogram(
                "stt_rtf",
                "That time, over the length of the utterance",
                ["backend"],
                registry=registry,
                buckets=_RTF_BUCKETS,
            ),
        )

    def transcribed(self, backend: str, took_s: float, audio_s: float) -> None:
        """An utterance got its final transcript."""
        self.transcriptions.labels(backend).inc()
        self.seconds.labels(backend).observe(took_s)
        if audio_s > 0:
            self.rtf.labels(backend).observe(took_s / audio_s)
