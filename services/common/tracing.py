"""Traces: how long each call took that a service served, and each turn with its stages. Off unless an endpoint is set.

A span is recorded whole, when it is over: its ids travelled with the calls (calls.py) long before. What people say is
never in one.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from prometheus_client import CollectorRegistry

from services.common.calls import CallContext
from services.common.settings import TracingSettings


@dataclass(frozen=True)
class Span:
    """A piece of work, and when it was done: moments on time.monotonic()'s clock."""

    name: str
    span_id: str
    parent_id: str  # empty: the trace begins with it
    began_at: float
    ended_at: float
    attributes: Mapping[str, str | float] = field(default_factory=dict)
    is_served_call: bool = False
    failed: bool = False


class SpanSink(Protocol):
    """Where spans go."""

    def take(self, trace_id: str, spans: Sequence[Span]) -> None:
        """Takes them, at once."""


class Tracer:
    """Takes the spans of a process. Until it is told where they go, there are no traces."""

    def __init__(self) -> None:
        self._sink: SpanSink | None = None

    @property
    def is_on(self) -> bool:
        """Whether what is recorded goes anywhere."""
        return self._sink is not None

    def lead_to(self, sink: SpanSink | None) -> None:
        """From now on spans go there; None: nowhere."""
        self._sink = sink

    def record(self, call: CallContext, *spans: Span) -> None:
        """Spans of the call's trace, if that one is recorded at all. Never waits. For one thread alone."""
        if self._sink is not None and call.is_sampled:
            self._sink.take(call.trace_id, spans)


@contextmanager
def exported(tracer: Tracer, settings: TracingSettings, service: str, registry: CollectorRegistry) -> Iterator[None]:
    """Sends what the tracer takes to the endpoint of the settings, and at the end what is left, in two seconds."""
    if not settings.endpoint:
        yield
        return
    from services.common.otlp import OtlpExport  # noqa: PLC0415  # 60 ms and 7 MB, for those who trace

    export = OtlpExport(settings.endpoint, service, registry)
    tracer.lead_to(export)
    try:
        yield
    finally:
        tracer.lead_to(None)
        export.close()
