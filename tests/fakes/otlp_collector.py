"""A collector of OTLP over HTTP on a loopback port: keeps the spans that it is sent, or answers as told, or not at all.

with OtlpCollector() as collector:
    ... collector.endpoint, collector.spans, collector.bodies

with collected("mouth") as (collector, tracer):
    ...  # what the tracer records here, the collector has once the block is left
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1 import trace_pb2
from prometheus_client import CollectorRegistry

from services.common.settings import TracingSettings
from services.common.tracing import Tracer, exported
from tests.support.waiting import BOUND_S


@dataclass(frozen=True)
class CollectedSpan:
    """A span as it came, its ids in hexadecimal."""

    service: str
    name: str
    trace_id: str
    span_id: str
    parent_id: str
    is_server: bool
    failed: bool
    start_ns: int
    end_ns: int
    attributes: dict[str, object]


class OtlpCollector:
    """Serves from its own threads while entered."""

    def __init__(self, port: int = 0) -> None:
        self.status = 200
        self.spans: list[CollectedSpan] = []
        self.paths: list[str] = []
        self.bodies: list[bytes] = []
        self.answered = 0
        self._gate: threading.Event | None = None
        self._server = _Server(("127.0.0.1", port), partial(_Handler, self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._gate is not None:
            self._gate.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def named(self, name: str) -> CollectedSpan:
        """The one span of this name."""
        (span,) = (span for span in self.spans if span.name == name)
        return span

    def hold(self) -> threading.Event:
        """Nothing is answered before this is set."""
        self._gate = threading.Event()
        return self._gate

    def take(self, path: str, body: bytes) -> int:
        """The status to answer with."""
        self.paths.append(path)
        self.bodies.append(body)
        if self._gate is not None:
            assert self._gate.wait(BOUND_S)
        if self.status == 200:
            self.spans.extend(_spans(body))
        return self.status


@contextmanager
def collected(service: str) -> Iterator[tuple[OtlpCollector, Tracer]]:
    """A collector, and a service's tracer that leads to it."""
    tracer = Tracer()
    with OtlpCollector() as collector, exported(tracer, _to(collector), service, CollectorRegistry()):
        yield collector, tracer


def _to(collector: OtlpCollector) -> TracingSettings:
    return TracingSettings(endpoint=collector.endpoint)


def _spans(body: bytes) -> list[CollectedSpan]:
    return [
        _span(str(_attributes(resource.resource.attributes)["service.name"]), span)
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def _span(service: str, span: trace_pb2.Span) -> CollectedSpan:
    return CollectedSpan(
        service=service,
        name=span.name,
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        is_server=span.kind == trace_pb2.Span.SPAN_KIND_SERVER,
        failed=span.status.code == trace_pb2.Status.STATUS_CODE_ERROR,
        start_ns=span.start_time_unix_nano,
        end_ns=span.end_time_unix_nano,
        attributes=_attributes(span.attributes),
    )


def _attributes(pairs: object) -> dict[str, object]:
    return {pair.key: _value(pair.value) for pair in pairs}  # type: ignore[attr-defined]  # a repeated KeyValue


def _value(value: AnyValue) -> object:
    kind = value.WhichOneof("value")
    return getattr(value, kind) if kind else None


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # closing the collector waits for its threads, so that no test leaves one behind


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, collector: OtlpCollector, *connection: object) -> None:
        self._collector = collector
        super().__init__(*connection)  # type: ignore[arg-type]  # socketserver's three, passed through

    def do_POST(self) -> None:
        self.close_connection = True
        status = self._collector.take(self.path, self.rfile.read(int(self.headers["Content-Length"])))
        answer = ExportTraceServiceResponse().SerializeToString()
        try:
            self.send_response(status)
            self.send_header("Connection", "close")
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)
            self.wfile.flush()
            self._collector.answered += 1
        except (BrokenPipeError, ConnectionResetError):
            return  # who sent it may have gone

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
        """Tests look at what was collected instead.
        with collected("mouth") as (collector, tracer):
            ...  # what the tracer records; the collector has it once the block is left
        """
