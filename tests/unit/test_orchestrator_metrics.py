"""services/orchestrator/metrics.py: what can be read of the pipeline's measures after what happened."""

import math
from collections.abc import Callable

import pytest
from prometheus_client import CollectorRegistry

from services.orchestrator.events import Timings
from services.orchestrator.metrics import PipelineMetrics
from services.orchestrator.ports import Stage
from services.orchestrator.turn_events import Outcome, State

_P95 = "pipeline_latency_p95_last_100_seconds"


class Measures:
    """The metrics, and how Prometheus would read them."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.metrics = PipelineMetrics.create(self._registry)

    def read(self, name: str, **labels: str) -> float:
        value = self._registry.get_sample_value(name, labels)
        return 0.0 if value is None else value


@pytest.fixture
def measures() -> Measures:
    return Measures()


def _spoken(first_audio_ms: float | None) -> Timings:
    return Timings(endpoint_ms=100, first_audio_ms=first_audio_ms, total_ms=1000)


def test_a_turn_is_counted_with_its_stages(measures: Measures) -> None:
    measures.metrics.turn_finished(Outcome.COMPLETED, Timings(100, 200, 300, 400, 500, 600, 700, 800))
    assert measures.read("pipeline_requests_total", outcome="completed") == 1
    seconds = {
        "endpoint": 0.1,
        "transcript": 0.2,
        "first_token": 0.3,
        "first_clause": 0.4,
        "first_audio": 0.5,
        "reply_complete": 0.6,
        "total": 0.7,
        "first_heard": 0.8,
    }
    for stage, took_s in seconds.items():
        assert measures.read("pipeline_stage_seconds_count", stage=stage) == 1
        assert measures.read("pipeline_stage_seconds_sum", stage=stage) == pytest.approx(took_s)
    assert measures.read("pipeline_latency_seconds_sum") == pytest.approx(0.5)
    assert measures.read("barge_in_stop_seconds_count") == 0


def test_a_stage_that_was_not_reached_is_not_measured(measures: Measures) -> None:
    measures.metrics.turn_finished(Outcome.FAILED, Timings(transcript_ms=5, total_ms=9))
    assert measures.read("pipeline_requests_total", outcome="failed") == 1
    assert measures.read("pipeline_stage_seconds_count", stage="transcript") == 1
    assert measures.read("pipeline_stage_seconds_count", stage="first_token") == 0


@pytest.mark.parametrize(
    "timings",
    [_spoken(None), Timings(first_audio_ms=300, total_ms=1000), Timings(total_ms=1000)],
    ids=["no audio", "typed", "typed, no audio"],
)
def test_only_what_was_spoken_and_answered_by_voice_has_a_latency(measures: Measures, timings: Timings) -> None:
    measures.metrics.turn_finished(Outcome.COMPLETED, timings)
    assert measures.read("pipeline_latency_seconds_count") == 0
    assert math.isnan(measures.read(_P95))


def test_before_the_first_turn_there_is_no_p95(measures: Measures) -> None:
    assert math.isnan(measures.read(_P95))


def test_the_p95_is_exact(measures: Measures) -> None:
    for number in (5, 1, 4, 2, 3):
        measures.metrics.turn_finished(Outcome.COMPLETED, _spoken(number * 1000))
    assert measures.read(_P95) == pytest.approx(4.8)  # between the fourth and the fifth of five


def test_the_p95_is_of_the_last_hundred(measures: Measures) -> None:
    for _ in range(50):
        measures.metrics.turn_finished(Outcome.COMPLETED, _spoken(9000))
    for number in range(99):
        measures.metrics.turn_finished(Outcome.COMPLETED, _spoken(number))
    # The one slow turn that still counts is the highest of a hundred; the fifth highest and below are fast.
    assert measures.read(_P95) < 0.1
    for _ in range(5):
        measures.metrics.turn_finished(Outcome.INTERRUPTED, _spoken(9000))
    assert measures.read(_P95) > 0.4


def test_how_long_a_reply_went_on_after_an_interruption(measures: Measures) -> None:
    measures.metrics.turn_finished(Outcome.INTERRUPTED, Timings(total_ms=900, barge_in_stop_ms=150))
    assert measures.read("barge_in_stop_seconds_count") == 1
    assert measures.read("barge_in_stop_seconds_sum") == pytest.approx(0.15)
    assert measures.read("barge_in_stop_seconds_bucket", le="0.2") == 1
    assert measures.read("barge_in_stop_seconds_bucket", le="0.1") == 0


@pytest.mark.parametrize(
    ("happened", "name", "labels"),
    [
        (lambda m: m.spoken_into("interruption"), "pipeline_speech_into_reply_total", {"verdict": "interruption"}),
        (lambda m: m.spoken_into("false_alarm"), "pipeline_speech_into_reply_total", {"verdict": "false_alarm"}),
        (lambda m: m.draft("used"), "pipeline_drafts_total", {"fate": "used"}),
        (lambda m: m.draft("dropped"), "pipeline_drafts_total", {"fate": "dropped"}),
        (lambda m: m.filler_said(), "pipeline_fillers_total", {}),
        (lambda m: m.session_resumed(), "pipeline_sessions_resumed_total", {}),
        (lambda m: m.overdue(State.THINKING), "pipeline_overdue_total", {"state": "thinking"}),
        (lambda m: m.stage_failed(Stage.LLM), "pipeline_errors_total", {"component": "llm"}),
    ],
)
def test_what_happens_is_counted(
    measures: Measures, happened: Callable[[PipelineMetrics], None], name: str, labels: dict[str, str]
) -> None:
    happened(measures.metrics)
    happened(measures.metrics)
    assert measures.read(name, **labels) == 2


def test_sessions_that_wait_are_told_as_they_are_now(measures: Measures) -> None:
    measures.metrics.sessions_parked(3)
    measures.metrics.sessions_parked(1)
    assert measures.read("pipeline_sessions_parked") == 1


def test_open_sessions_are_told(measures: Measures) -> None:
    with measures.metrics.sessions.track_inprogress():
        assert measures.read("pipeline_sessions_active") == 1
    assert measures.read("pipeline_sessions_active") == 0
