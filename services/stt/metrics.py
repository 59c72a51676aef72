"""What the ears count."""

from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from services.common.metrics import LATENCY_BUCKETS_S
from services.stt.doubts import Doubt
from services.stt.engine import Urgency

_RTF_BUCKETS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 2, 5)
_BATCH_BUCKETS = (1, 2, 3, 4, 6, 8, 12, 16)


@dataclass(frozen=True)
class SttMetrics:
    """Transcriptions and their times."""

    transcriptions: Counter
    seconds: Histogram
    rtf: Histogram
    empty: Counter
    clipped: Counter
    detector_failures: Counter
    sessions: Gauge

    @classmethod
    def create(cls, registry: CollectorRegistry) -> "SttMetrics":
        """Registers them."""
        return cls(
            Counter("stt_transcriptions_total", "Utterances transcribed", ["backend"], registry=registry),
            Histogram(
                "stt_transcription_time_seconds",
                "Time that an engine took over an utterance",
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
            Counter("stt_empty_transcripts_total", "Utterances in which nothing was understood", registry=registry),
            Counter("stt_clipped_samples_total", "Samples at full scale: a microphone too loud", registry=registry),
            Counter("stt_turn_detector_failures_total", "Failures of the turn detector", registry=registry),
            Gauge("stt_active_sessions", "Microphone streams open now", registry=registry),
        )

    def transcribed(self, backend: str, took_s: float, audio_s: float, *, empty: bool) -> None:
        """An utterance got its final transcript."""
        self.transcriptions.labels(backend).inc()
        self.seconds.labels(backend).observe(took_s)
        if audio_s > 0:
            self.rtf.labels(backend).observe(took_s / audio_s)
        if empty:
            self.empty.inc()


@dataclass(frozen=True)
class WhisperMetrics:
    """What is counted of every Whisper model."""

    depth: Gauge
    waited: Histogram
    batch: Histogram
    windows: Counter
    second_passes: Counter

    @classmethod
    def create(cls, registry: CollectorRegistry) -> "WhisperMetrics":
        """Registers them."""
        return cls(
            Gauge("stt_queue_depth", "Decodings that wait", ["backend"], registry=registry),
            Histogram(
                "stt_queue_seconds",
                "Time that a decoding waited",
                ["backend", "urgency"],
                registry=registry,
                buckets=LATENCY_BUCKETS_S,
            ),
            Histogram(
                "stt_batch_size", "Decodings done at once", ["backend"], registry=registry, buckets=_BATCH_BUCKETS
            ),
            Counter("stt_windows_total", "Windows encoded", ["backend", "window"], registry=registry),
            Counter("stt_second_passes_total", "Decoded again, and why", ["backend", "reason"], registry=registry),
        )


@dataclass(frozen=True)
class DecoderMetrics:
    """The same, of one model."""

    backend: str
    all: WhisperMetrics

    def queued(self, waiting: int) -> None:
        """So many decodings wait now."""
        self.all.depth.labels(self.backend).set(waiting)

    def taken(self, urgency: Urgency, waited_s: float) -> None:
        """A decoding has waited long enough."""
        self.all.waited.labels(self.backend, urgency.name.lower()).observe(waited_s)

    def batched(self, count: int) -> None:
        """So many are decoded at once."""
        self.all.batch.labels(self.backend).observe(count)

    def encoded(self, window: str, count: int) -> None:
        """So many windows, `fit` or `full`, were encoded."""
        self.all.windows.labels(self.backend, window).inc(count)

    def doubted(self, doubt: Doubt) -> None:
        """A decoding is done again."""
        self.all.second_passes.labels(self.backend, doubt.value).inc()
