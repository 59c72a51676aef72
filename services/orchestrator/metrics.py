"""What the orchestrator counts of turns and sessions."""

import math
from collections import deque
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

import numpy as np
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from services.common.metrics import LATENCY_BUCKETS_S
from services.orchestrator.events import Timings
from services.orchestrator.ports import Stage
from services.orchestrator.turn_events import Outcome, State

# The stages of a turn, as the fields of Timings name them.
STAGES = ("endpoint", "transcript", "first_token", "first_clause", "first_audio", "reply_complete", "first_heard")
_LATEST = 100  # turns


@dataclass(frozen=True)
class PipelineMetrics:
    """Turns, their failures and where their time went; one method for each thing that happens."""

    turns: Counter
    errors: Counter
    latency: Histogram
    latency_p95: Gauge
    stages: Histogram
    barge_in_stops: Histogram
    speech_into_reply: Counter
    drafts: Counter
    fillers: Counter
    overdue_states: Counter
    sessions: Gauge
    parked: Gauge
    resumed: Counter
    _latest_s: "deque[float]" = field(default_factory=lambda: deque(maxlen=_LATEST))

    @classmethod
    def create(cls, registry: CollectorRegistry) -> "PipelineMetrics":
        """Registers them."""
        counter, gauge = partial(Counter, registry=registry), partial(Gauge, registry=registry)
        histogram = partial(Histogram, registry=registry, buckets=LATENCY_BUCKETS_S)
        metrics = cls(
            turns=counter("pipeline_requests_total", "Turns", ["outcome"]),
            errors=counter("pipeline_errors_total", "Failures of stages", ["component"]),
            latency=histogram(
                "pipeline_latency_seconds", "Voice to voice: from the user's last word to the first reply sample sent"
            ),
            latency_p95=gauge(
                "pipeline_latency_p95_last_100_seconds", "95th percentile of the last 100 turns, voice to voice"
            ),
            stages=histogram("pipeline_stage_seconds", "From the user's last word to the end of each stage", ["stage"]),
            barge_in_stops=histogram(
                "barge_in_stop_seconds", "From the first sound of who interrupts to the last reply sample sent"
            ),
            speech_into_reply=counter("pipeline_speech_into_reply_total", "Speech while it replied", ["verdict"]),
            drafts=counter("pipeline_drafts_total", "Replies begun before the user was known to be done", ["fate"]),
            fillers=counter("pipeline_fillers_total", "Fillers said because a reply was late"),
            overdue_states=counter("pipeline_overdue_total", "Turns ended because a state lasted too long", ["state"]),
            sessions=gauge("pipeline_sessions_active", "Conversations open now"),
            parked=gauge("pipeline_sessions_parked", "Conversations that wait for their client to come back"),
            resumed=counter("pipeline_sessions_resumed_total", "Conversations that went on after a lost connection"),
        )
        metrics.latency_p95.set(math.nan)  # no turn yet is not a fast one
        return metrics

    def turn_finished(self, outcome: Outcome, timings: Timings) -> None:
        """A turn is over."""
        self.turns.labels(outcome.value).inc()
        if timings.endpoint_ms is not None and timings.first_audio_ms is not None:  # spoken, and answered by voice
            self._answered_by_voice(timings.first_audio_ms / 1000)
        if timings.barge_in_stop_ms is not None:
            self.barge_in_stops.observe(timings.barge_in_stop_ms / 1000)
        for stage in (*STAGES, "total"):
            took_ms: float | None = getattr(timings, f"{stage}_ms")
            if took_ms is not None:
                self.stages.labels(stage).observe(took_ms / 1000)

    def overdue(self, state: State) -> None:
        """A turn was ended because this state lasted too long."""
        self.overdue_states.labels(state.value).inc()

    def stage_failed(self, stage: Stage) -> None:
        """A stage failed."""
        self.errors.labels(stage.value).inc()

    def spoken_into(self, verdict: Literal["interruption", "false_alarm"]) -> None:
        """Somebody spoke while it replied, and this is what that was."""
        self.speech_into_reply.labels(verdict).inc()

    def draft(self, fate: Literal["used", "dropped"]) -> None:
        """What became of a draft."""
        self.drafts.labels(fate).inc()

    def filler_said(self) -> None:
        """A reply was late, and a filler was said."""
        self.fillers.inc()

    def sessions_parked(self, count: int) -> None:
        """So many conversations have lost their client now, and wait."""
        self.parked.set(count)

    def session_resumed(self) -> None:
        """A client came back."""
        self.resumed.inc()

    def _answered_by_voice(self, latency_s: float) -> None:
        self.latency.observe(latency_s)
        self._latest_s.append(latency_s)
        self.latency_p95.set(float(np.percentile(self._latest_s, 95)))
