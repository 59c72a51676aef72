"""A turn as a trace: one span for all of it, and one for each stage that it reached."""

import secrets
from collections.abc import Mapping

from services.common.calls import CallContext
from services.common.tracing import Span, Tracer
from services.orchestrator.events import Timings
from services.orchestrator.metrics import STAGES
from services.orchestrator.ports import Stage
from services.orchestrator.turn_events import Outcome


def record_turn(
    tracer: Tracer,
    call: CallContext,
    said_at: float,
    timings: Timings,
    outcome: Outcome,
    backends: Mapping[Stage, str],
) -> None:
    """Records a turn that is over, with the ids that its calls to the stages carried.

    Every span begins with the user's last word, as the timings do: with drafts, stages do not follow one another.
    """
    attributes: dict[str, str | float] = {
        "superwhisper.request_id": call.request_id,
        "superwhisper.outcome": outcome.value,
        **{f"superwhisper.{stage.value}.backend": backend for stage, backend in backends.items()},
    }
    if timings.barge_in_stop_ms is not None:
        attributes["superwhisper.barge_in_stop_ms"] = timings.barge_in_stop_ms
    ended_at = said_at + timings.total_ms / 1000
    failed = outcome is Outcome.FAILED
    turn = Span("turn", call.span_id, "", said_at, ended_at, attributes, failed=failed)
    tracer.record(call, turn, *_stages(call, said_at, timings))


def record_draft(tracer: Tracer, call: CallContext, said_at: float, dropped_at: float) -> None:
    """Records a draft that was dropped: else the calls made for it would belong to nothing."""
    attributes: dict[str, str | float] = {"superwhisper.request_id": call.request_id}
    tracer.record(call, Span("draft", call.span_id, "", said_at, dropped_at, attributes))


def _stages(call: CallContext, said_at: float, timings: Timings) -> list[Span]:
    took_ms: dict[str, float | None] = {stage: getattr(timings, f"{stage}_ms") for stage in STAGES}
    return [
        Span(stage, secrets.token_hex(8), call.span_id, said_at, said_at + ms / 1000)
        for stage, ms in took_ms.items()
        if ms is not None
    ]
