"""services/orchestrator/turn_trace.py: what a collector gets of a turn."""

import time

import pytest

from services.common import calls
from services.orchestrator.events import Timings
from services.orchestrator.ports import Stage
from services.orchestrator.turn_events import Outcome
from services.orchestrator.turn_trace import record_turn
from tests.fakes.otlp_collector import CollectedSpan, collected

_SPOKEN = Timings(
    endpoint_ms=250,
    transcript_ms=262,
    first_token_ms=180,  # of a draft
    first_clause_ms=270,
    first_audio_ms=300,
    reply_complete_ms=900,
    total_ms=4000,
    first_heard_ms=350,
    barge_in_stop_ms=120,
)


def _recorded(
    timings: Timings, outcome: Outcome = Outcome.COMPLETED, backends: dict[Stage, str] | None = None
) -> tuple[list[CollectedSpan], calls.CallContext]:
    with collected("orchestrator") as (collector, tracer):
        calls.enter({"x-request-id": "session"}, None, sample=True)
        with calls.turn_context(3, limit_s=60) as call:
            record_turn(tracer, call, time.monotonic() - 5, timings, outcome, backends or {})
    return collector.spans, call


async def test_a_turn_and_its_stages_begin_with_the_last_word_and_end_when_they_ended() -> None:
    spans, call = _recorded(_SPOKEN)
    root, *stages = spans
    assert (root.name, root.trace_id, root.span_id, root.parent_id) == ("turn", call.trace_id, call.span_id, "")
    assert {(span.trace_id, span.parent_id) for span in stages} == {(call.trace_id, call.span_id)}
    assert len({span.span_id for span in spans}) == len(spans)
    assert {span.start_ns for span in spans} == {root.start_ns}
    assert {span.name: (span.end_ns - span.start_ns) / 1e6 for span in spans} == pytest.approx(
        {
            "turn": 4000,
            "endpoint": 250,
            "transcript": 262,
            "first_token": 180,
            "first_clause": 270,
            "first_audio": 300,
            "reply_complete": 900,
            "first_heard": 350,
        },
        abs=0.001,
    )


async def test_a_turn_says_how_it_ended_and_who_worked_for_it() -> None:
    backends = {Stage.STT: "whisper", Stage.TTS: "piper"}
    (root, *_), _call = _recorded(_SPOKEN, Outcome.INTERRUPTED, backends)
    assert root.attributes == {
        "superwhisper.request_id": "session.3",
        "superwhisper.outcome": "interrupted",
        "superwhisper.stt.backend": "whisper",
        "superwhisper.tts.backend": "piper",
        "superwhisper.barge_in_stop_ms": 120.0,
    }
    assert not root.failed


async def test_a_turn_that_failed_early_has_the_stages_that_it_reached() -> None:
    (root, *stages), _call = _recorded(Timings(transcript_ms=1, total_ms=20), Outcome.FAILED)
    assert root.failed
    assert "superwhisper.barge_in_stop_ms" not in root.attributes
    assert [span.name for span in stages] == ["transcript"]
