"""services/common/tracing.py and otlp.py: spans on their way to a real collector, or to one that is away."""

import logging
import time
from functools import partial

import pytest
from prometheus_client import CollectorRegistry

from services.common.calls import CallContext
from services.common.errors import SettingsError
from services.common.otlp import OtlpExport
from services.common.settings import TracingSettings, load
from services.common.tracing import Span, Tracer, exported
from services.tts.config import TtsSettings
from tests.fakes.otlp_collector import OtlpCollector, collected
from tests.support.servers import free_port
from tests.support.waiting import BOUND_S, wait_until

_TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
_BATCH = 256  # that many are sent at once, without waiting for more
_QUEUE = 2048
_SPAN = Span("work", "00f067aa0ba902b7", "53995c3f42cd8ad8", 10, 11, {"kind": "test", "share": 0.5})


def _call(sampled: str = "01") -> CallContext:
    return CallContext("req-1", _TRACE, "00f067aa0ba902b7", sampled)


def _dropped(registry: CollectorRegistry, why: str) -> float:
    return registry.get_sample_value("trace_spans_dropped_total", {"why": why}) or 0


def _warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


def test_a_span_arrives_as_it_was_recorded() -> None:
    with collected("mouth") as (collector, tracer):
        tracer.record(_call(), _SPAN)
    span = collector.named("work")
    assert collector.paths == ["/v1/traces"]
    assert (span.trace_id, span.span_id, span.parent_id) == (_TRACE, _SPAN.span_id, _SPAN.parent_id)
    assert span.attributes == {"kind": "test", "share": 0.5}
    assert span.service == "superwhisper-mouth"
    assert (span.is_server, span.failed) == (False, False)


def test_a_span_may_be_a_served_call_that_failed_and_the_first_of_its_trace() -> None:
    tracer = Tracer()
    with OtlpCollector() as collector:
        with exported(tracer, TracingSettings(endpoint=collector.endpoint + "/"), "mouth", CollectorRegistry()):
            tracer.record(_call(), Span("call", _SPAN.span_id, "", 10, 11, is_served_call=True, failed=True))
        span = collector.named("call")
    assert (span.parent_id, span.is_server, span.failed) == ("", True, True)


def test_moments_become_times_of_the_day() -> None:
    with collected("mouth") as (collector, tracer):
        before_ns, now = time.time_ns(), time.monotonic()
        tracer.record(_call(), Span("work", _SPAN.span_id, "", now - 10, now - 9))
        after_ns = time.time_ns()
    span = collector.named("work")
    rounding_ns = 1000
    assert before_ns - rounding_ns <= span.start_ns + 10_000_000_000 <= after_ns + rounding_ns
    assert span.end_ns - span.start_ns == pytest.approx(1_000_000_000, abs=rounding_ns)


def test_what_is_not_sampled_is_not_sent() -> None:
    with collected("mouth") as (collector, tracer):
        tracer.record(_call("00"), _SPAN)
        tracer.record(_call("02"), _SPAN)  # another flag
        tracer.record(_call("03"), Span("sampled", _SPAN.span_id, "", 1, 2))
    assert [span.name for span in collector.spans] == ["sampled"]


def test_without_an_endpoint_there_are_no_traces() -> None:
    tracer, registry = Tracer(), CollectorRegistry()
    with exported(tracer, TracingSettings(), "mouth", registry):
        assert not tracer.is_on
        tracer.record(_call(), _SPAN)
    assert list(registry.collect()) == []


def test_traces_end_with_their_export() -> None:
    tracer = Tracer()
    with OtlpCollector() as collector:
        with exported(tracer, TracingSettings(endpoint=collector.endpoint), "mouth", CollectorRegistry()):
            was_on = tracer.is_on
        assert (was_on, tracer.is_on) == (True, False)
        tracer.record(_call(), _SPAN)
    assert collector.spans == []


async def test_a_collector_that_is_away_is_told_of_once_and_what_it_misses_is_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    port, registry = free_port(), CollectorRegistry()
    export = OtlpExport(f"http://127.0.0.1:{port}", "mouth", registry)
    for lost in (_QUEUE, 2 * _QUEUE):  # what is lost makes room
        export.take(_TRACE, [_SPAN] * _QUEUE)
        await wait_until(partial(lambda lost: _dropped(registry, "not sent") == lost, lost), "the loss of all")
    warnings = _warnings(caplog)
    assert len(warnings) == 1
    assert f"http://127.0.0.1:{port}/v1/traces takes none" in warnings[0]
    with OtlpCollector(port) as collector:
        export.take(_TRACE, [_SPAN] * _BATCH)
        await wait_until(lambda: len(collector.spans) == _BATCH, "a batch")
        export.close()
    assert _dropped(registry, "not sent") == 2 * _QUEUE
    assert _dropped(registry, "queue full") == 0
    assert len(_warnings(caplog)) == 1
    assert sum("takes traces again" in record.getMessage() for record in caplog.records) == 1


async def test_a_collector_that_refuses_is_told_of_with_its_answer(caplog: pytest.LogCaptureFixture) -> None:
    registry = CollectorRegistry()
    with OtlpCollector() as collector:
        collector.status = 503
        export = OtlpExport(collector.endpoint, "mouth", registry)
        export.take(_TRACE, [_SPAN])
        export.close()
    assert _dropped(registry, "not sent") == 1
    (warning,) = _warnings(caplog)
    assert "503" in warning
    assert len(collector.bodies) == 1  # it is not asked again: that batch is lost


def test_what_finds_the_queue_full_is_counted_and_the_rest_arrives() -> None:
    registry = CollectorRegistry()
    with OtlpCollector() as collector:
        gate = collector.hold()
        export = OtlpExport(collector.endpoint, "mouth", registry, send_limit_s=BOUND_S, close_limit_s=BOUND_S)
        for _ in range(_QUEUE + 52):
            export.take(_TRACE, [_SPAN])
        assert _dropped(registry, "queue full") == 52
        gate.set()
        export.close()
    assert len(collector.spans) == _QUEUE
    assert _dropped(registry, "not sent") == 0


async def test_a_collector_that_does_not_answer_does_not_hold_up_the_end(caplog: pytest.LogCaptureFixture) -> None:
    registry = CollectorRegistry()
    with OtlpCollector() as collector:
        gate = collector.hold()
        export = OtlpExport(collector.endpoint, "mouth", registry, send_limit_s=BOUND_S, close_limit_s=0.05)
        export.take(_TRACE, [_SPAN] * (2 * _BATCH + 1))
        await wait_until(lambda: len(collector.bodies) == 1, "the first batch")
        export.close()
        assert collector.answered == 0
        assert ["could not be sent within 0.05 s" in warning for warning in _warnings(caplog)] == [True]
        gate.set()
        await wait_until(lambda: _dropped(registry, "not sent") == _BATCH + 1, "the end of the others")
    assert len(collector.bodies) == 1


def test_no_proxy_comes_between(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with collected("mouth") as (collector, tracer):
        tracer.record(_call(), _SPAN)
    assert len(collector.spans) == 1


# Settings


@pytest.mark.parametrize(
    "endpoint", ["", "http://127.0.0.1:4318", "https://traces.example", "http://[::1]:4318/", "http://host/otlp"]
)
def test_an_endpoint_is_a_base_address(monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    monkeypatch.setenv("SUPERWHISPER_TRACING__ENDPOINT", endpoint)
    assert load(TtsSettings, ["--profile", "embedded"]).tracing.endpoint == endpoint


@pytest.mark.parametrize(
    "endpoint",
    [
        "127.0.0.1:4318",
        "localhost",
        "grpc://127.0.0.1:4317",
        "http://",
        "http://:4318",
        "http://host:0",
        "http://host:many",
        "http://me:secret@host:4318",
        "http://host:4318?key=1",
        "http://host:4318/v1/traces",
    ],
)
def test_what_is_no_base_address_is_named(monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    monkeypatch.setenv("SUPERWHISPER_TRACING__ENDPOINT", endpoint)
    with pytest.raises(SettingsError, match=r"tracing\.endpoint"):
        load(TtsSettings, ["--profile", "embedded"])
