"""Spans on their way to a collector: OTLP over HTTP, in batches, from a thread of the OpenTelemetry SDK.

Nothing waits for it: spans that find the queue full, or that do not arrive, are counted and forgotten. The batches are
posted by httpx and not by the SDK's own exporter, which tries each again for a while, logs every failure, and sends
even loopback addresses through the proxy that the environment names.
"""

import logging
import threading
import time
from collections.abc import Sequence

import httpx
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags
from prometheus_client import CollectorRegistry, Counter

from services.common.tracing import Span

_log = logging.getLogger(__name__)
_PATH = "/v1/traces"  # after the endpoint, as OTLP says
_QUEUED = 2048  # about 200 turns
_BATCH = 256
_SEND_EVERY_MS = 1000
_SEND_LIMIT_S = 1.0  # to connect, and between two signs of life
_CLOSE_LIMIT_S = 2.0
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)


class OtlpExport:
    """Takes spans and sends them, until it is closed."""

    def __init__(
        self,
        endpoint: str,
        service: str,
        registry: CollectorRegistry,
        *,
        send_limit_s: float = _SEND_LIMIT_S,
        close_limit_s: float = _CLOSE_LIMIT_S,
    ) -> None:
        self._dropped = Counter("trace_spans_dropped_total", "Spans that no collector got", ["why"], registry=registry)
        self._resource = Resource({"service.namespace": "superwhisper", "service.name": f"superwhisper-{service}"})
        self._poster = _Poster(endpoint, self._dropped, send_limit_s)
        self._processor = BatchSpanProcessor(
            self._poster,
            max_queue_size=_QUEUED,
            schedule_delay_millis=_SEND_EVERY_MS,
            max_export_batch_size=_BATCH,
            meter_provider=NoOpMeterProvider(),
        )
        self._close_limit_s = close_limit_s
        self._taken = 0

    def take(self, trace_id: str, spans: Sequence[Span]) -> None:
        """Queues them. Their wall-clock times are all derived here, so that a clock that is set does not bend them."""
        epoch_ns = time.time_ns() - time.monotonic_ns()
        for span in spans:
            # The SDK bounds its queue as well, but tells of what it drops in its log alone.
            if self._taken - self._poster.done >= _QUEUED:
                self._dropped.labels("queue full").inc()
                continue
            self._taken += 1
            self._processor.on_end(_ended(trace_id, span, self._resource, epoch_ns))

    def close(self) -> None:
        """Sends what is left, as far as the time allows. It blocks: nothing is served any more that could wait for it.

        The SDK's own end takes up to half a minute where the collector does not answer, so it has a thread of its own.
        It is none of asyncio's, for a process whose threads all hang must come to its end as well.
        """
        ending = threading.Thread(target=self._processor.shutdown, name="end of traces", daemon=True)
        ending.start()
        ending.join(self._close_limit_s)
        if ending.is_alive():
            self._poster.give_up()
            _log.warning("the last traces could not be sent within %g s", self._close_limit_s)


class _Poster(SpanExporter):
    """Posts batches, in the SDK's thread."""

    def __init__(self, endpoint: str, dropped: Counter, send_limit_s: float) -> None:
        self.done = 0  # spans that are dealt with; only ever written by the SDK's thread
        self._url = endpoint.rstrip("/") + _PATH
        self._dropped = dropped
        self._client = httpx.Client(
            timeout=send_limit_s, trust_env=False, headers={"Content-Type": "application/x-protobuf"}
        )
        self._is_away = False
        self._given_up = threading.Event()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """One batch, tried once."""
        try:
            has_arrived = not self._given_up.is_set() and self._post(encode_spans(spans).SerializeToString())
        finally:
            self.done += len(spans)
        if not has_arrived:
            self._dropped.labels("not sent").inc(len(spans))
            return SpanExportResult.FAILURE
        return SpanExportResult.SUCCESS

    def give_up(self) -> None:
        """Nothing more is sent."""
        self._given_up.set()

    def _post(self, content: bytes) -> bool:
        try:
            answer = self._client.post(self._url, content=content)
        except httpx.HTTPError as error:
            return self._arrived(str(error) or type(error).__name__)
        return self._arrived("" if answer.is_success else f"it answers {answer.status_code}")

    def _arrived(self, trouble: str) -> bool:
        """Whether there was no trouble. Each time that it begins or ends is told once."""
        if bool(trouble) is not self._is_away:
            self._is_away = bool(trouble)
            if trouble:
                _log.warning("no traces from now on: %s takes none (%s)", self._url, trouble)
            else:
                _log.info("%s takes traces again", self._url)
        return not trouble

    def shutdown(self) -> None:
        """Called by the SDK at the end."""
        self._client.close()


def _ended(trace_id: str, span: Span, resource: Resource, epoch_ns: int) -> ReadableSpan:
    """The span as the SDK has them. It is built by hand because the SDK's tracer would give it another id."""

    def context(span_id: str, *, is_remote: bool = False) -> SpanContext:
        return SpanContext(int(trace_id, 16), int(span_id, 16), is_remote, _SAMPLED)

    return ReadableSpan(
        span.name,
        context(span.span_id),
        context(span.parent_id, is_remote=span.is_served_call) if span.parent_id else None,
        resource,
        span.attributes,
        kind=SpanKind.SERVER if span.is_served_call else SpanKind.INTERNAL,
        status=Status(StatusCode.ERROR if span.failed else StatusCode.UNSET),
        start_time=epoch_ns + round(span.began_at * 1e9),
        end_time=epoch_ns + round(span.ended_at * 1e9),
    )
