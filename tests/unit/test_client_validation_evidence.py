"""What a go rests on: each kind of evidence, and all the ways in which it is none."""

import json
import os
import subprocess
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry, generate_latest

from client.validation.checkout import Checkout
from client.validation.evidence.bench import from_bench
from client.validation.evidence.finding import Ageing, Finding, Line, Status
from client.validation.evidence.human import from_reports
from client.validation.evidence.live import from_metrics
from client.validation.evidence.tests import from_junit
from client.validation.keeping import keep
from services.orchestrator.events import Timings
from services.orchestrator.metrics import PipelineMetrics
from services.orchestrator.turn_events import Outcome
from tests.support.servers import free_port
from tests.support.validations import HUMAN, NOW, YESTERDAY

GOOD_BENCH: dict[str, Any] = {
    "Turns": [{"conversations": 1, "turns": 200, "failed": 1, "cut off": 0, "missed": 0}],
    "Stages, one conversation: since the question's last sample (p50 / p95 / p99, ms)": [
        {"stage": "endpoint", "turns": 200, "p50": 200.0, "p95": 2000.0, "p99": 2000.0},
        {"stage": "voice to voice, seen by the client", "turns": 199, "p50": 400.0, "p95": 900.4, "p99": 990.0},
    ],
}
STAGES = "Stages, one conversation: since the question's last sample (p50 / p95 / p99, ms)"


@pytest.fixture
def ageing(tmp_path: Path) -> Ageing:
    return Ageing(NOW, Checkout(tmp_path / "no checkout"))


def at(path: Path, moment: datetime) -> Path:
    os.utime(path, (moment.timestamp(), moment.timestamp()))
    return path


def bench_file(folder: Path, tables: Any, moment: datetime = YESTERDAY) -> Path:
    path = folder / "bench.json"
    path.write_text(tables if isinstance(tables, str) else json.dumps(tables), encoding="utf-8")
    return at(path, moment)


def voice_to_voice(**fields: Any) -> dict[str, Any]:
    row = {"stage": "voice to voice, seen by the client", "turns": 100, "p50": 400.0, "p95": 900.0, **fields}
    return {**GOOD_BENCH, STAGES: [row]}


# --- the benchmark


def test_a_good_benchmark(tmp_path: Path, ageing: Ageing) -> None:
    time, success = from_bench(bench_file(tmp_path, GOOD_BENCH), ageing)
    assert (time.status, time.figure, time.at) == (Status.GO, "P95 900 ms of 199 turns", YESTERDAY)
    assert (success.status, success.figure) == (Status.GO, "99.50% of 200 turns")


@pytest.mark.parametrize(("p95", "status"), [(1199.9, Status.GO), (1200.0, Status.NO_GO)])
def test_the_time_that_is_borne(tmp_path: Path, ageing: Ageing, p95: float, status: Status) -> None:
    time, _ = from_bench(bench_file(tmp_path, voice_to_voice(p95=p95)), ageing)
    assert time.status is status


def test_the_slowest_of_several_runs_counts(tmp_path: Path, ageing: Ageing) -> None:
    row = {"stage": "voice to voice, seen by the client", "turns": 100, "p95": 1500}
    time, _ = from_bench(bench_file(tmp_path, {**GOOD_BENCH, "Stages, 8 conversations: since": [row]}), ageing)
    assert time.status is Status.NO_GO


@pytest.mark.parametrize(
    ("p95", "status", "figure"),
    [
        (1100, Status.GO, "P95 900 ms of 199 turns"),
        (1500, Status.NOT_MEASURED, "P95 1500 ms, of 25 turns only, and it takes 100"),
    ],
)
def test_a_short_run_is_no_measurement_but_a_slow_one_leaves_a_doubt(
    tmp_path: Path, ageing: Ageing, p95: float, status: Status, figure: str
) -> None:
    row = {"stage": "voice to voice, seen by the client", "turns": 25, "p95": p95}
    time, _ = from_bench(bench_file(tmp_path, {**GOOD_BENCH, "Stages, 8 conversations: since": [row]}), ageing)
    assert (time.status, time.figure) == (status, figure)


@pytest.mark.parametrize(("fault", "status"), [(1, Status.GO), (2, Status.NO_GO)])
def test_one_of_a_hundred_is_too_many(tmp_path: Path, ageing: Ageing, fault: int, status: Status) -> None:
    turns = {"turns": 200, "failed": 0, "cut off": fault - 1, "missed": 1}
    _, success = from_bench(bench_file(tmp_path, {**GOOD_BENCH, "Turns": [turns]}), ageing)
    assert success.status is status


def test_the_embedded_engines_count(tmp_path: Path, ageing: Ageing) -> None:
    tables = {
        "Turns in a row with the embedded engines": [{"turns": 100, "failed": 0}, {"turns": "turn 3: no audio"}],
        "Stages, since the last word (p50 / p95 / p99, ms)": [
            {"question": "spoken", "until": "first_audio_ms", "turns": 100, "p95": 700.0},
            {"question": "typed", "until": "first_audio_ms", "turns": 100, "p95": 5000.0},
        ],
    }
    time, success = from_bench(bench_file(tmp_path, tables), ageing)
    assert (time.status, success.status) == (Status.GO, Status.GO)


@pytest.mark.parametrize(
    ("tables", "why"),
    [
        ({**GOOD_BENCH, "Added to the engines, one conversation (ms)": []}, "scripted engines"),
        (voice_to_voice(turns=99), "99 turns only"),
        (voice_to_voice(p95=float("nan")), "p95 is no number"),
        (voice_to_voice(p95="fast"), "p95 is no number"),
        (voice_to_voice(p95=-3), "the P95 is no time"),
        ({"Memory, MB": []}, "no times from voice to voice"),
        ({"Measured": [{"at": "soon"}]}, "its date cannot be read"),
        ({"Measured": [{"at": "0001-01-01T00:00:00"}]}, "its date cannot be read"),
        ({**GOOD_BENCH, "Turns": [{"turns": 100, "cut off": 0}]}, "failed is no number"),
        ("[" * 100_000, "it is no JSON"),
        ([], "other figures"),
        ({"Turns": 3}, "other figures"),
        (json.dumps(GOOD_BENCH)[:-30], "cut off"),
        ("", "cut off"),
    ],
)
def test_a_benchmark_that_is_none(tmp_path: Path, ageing: Ageing, tables: Any, why: str) -> None:
    time, _ = from_bench(bench_file(tmp_path, tables), ageing)
    assert time.status is Status.NOT_MEASURED
    assert why in time.figure


def test_no_benchmark(tmp_path: Path, ageing: Ageing) -> None:
    found = from_bench(tmp_path / "bench.json", ageing)
    assert [(one.status, one.figure) for one in found] == [(Status.NOT_MEASURED, "No such file or directory")] * 2


def test_a_benchmark_from_the_future(tmp_path: Path, ageing: Ageing) -> None:
    time, success = from_bench(bench_file(tmp_path, GOOD_BENCH, NOW + timedelta(hours=1)), ageing)
    assert (time.status, success.status) == (Status.NOT_MEASURED, Status.NOT_MEASURED)
    assert "from the future" in time.figure


def test_an_old_benchmark_is_no_go_and_a_bad_one_stays_bad(tmp_path: Path, ageing: Ageing) -> None:
    turns = [{"turns": 200, "failed": 100}]
    time, success = from_bench(bench_file(tmp_path, {**GOOD_BENCH, "Turns": turns}, NOW - timedelta(days=31)), ageing)
    assert (time.status, time.remark) == (Status.STALE, "31 days old")
    assert success.status is Status.NO_GO


def test_a_benchmark_may_say_when_it_was_made(tmp_path: Path, ageing: Ageing) -> None:
    tables = {**GOOD_BENCH, "Measured": [{"at": (NOW - timedelta(days=40)).isoformat(), "commit": ""}]}
    time, _ = from_bench(bench_file(tmp_path, tables), ageing)
    assert time.status is Status.STALE


# --- a running orchestrator

METRICS = """\
pipeline_latency_p95_last_100_seconds 0.85
pipeline_latency_seconds_count 150
pipeline_requests_total{outcome="completed"} 190
pipeline_requests_total{outcome="interrupted"} 9
pipeline_requests_total{outcome="failed"} 1
"""


def told(text: str, ageing: Ageing) -> tuple[Finding, Finding]:
    return from_metrics("127.0.0.1:9091", ageing, lambda url: text)


def test_a_running_orchestrator(ageing: Ageing) -> None:
    time, success = told(METRICS, ageing)
    assert (time.status, time.figure) == (Status.GO, "P95 850 ms of 100 turns")
    assert (success.status, success.figure) == (Status.GO, "99.50% of 200 turns")


def test_the_metrics_are_those_that_the_orchestrator_tells(ageing: Ageing) -> None:
    registry = CollectorRegistry()
    metrics = PipelineMetrics.create(registry)
    for number in range(100):
        outcome = Outcome.FAILED if number < 2 else Outcome.COMPLETED
        metrics.turn_finished(outcome, Timings(endpoint_ms=200, first_audio_ms=1300))
    time, success = told(generate_latest(registry).decode(), ageing)
    assert (time.status, time.figure) == (Status.NO_GO, "P95 1300 ms of 100 turns")
    assert (success.status, success.figure) == (Status.NO_GO, "98.00% of 100 turns")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (METRICS.replace("count 150", "count 99"), "99 turns only"),
        (METRICS.replace("count 150", "count 0"), "no spoken turn yet"),
        (METRICS.replace("0.85", "NaN"), "no time"),
        ("", "no such metric"),
        ("<html>", "tells no metrics"),
        (METRICS.replace("count 150", "count NaN"), "tells no metrics"),
        (METRICS.replace("190", "+Inf"), "tells no metrics"),
        (METRICS.replace('"failed"} 1', '"failed"} NaN'), "tells no metrics"),
    ],
)
def test_metrics_that_say_nothing(text: str, why: str, ageing: Ageing) -> None:
    time, _ = told(text, ageing)
    assert time.status is Status.NOT_MEASURED
    assert why in time.figure


def test_no_orchestrator(ageing: Ageing) -> None:
    time, success = from_metrics(f"127.0.0.1:{free_port()}", ageing)
    assert (time.status, success.status) == (Status.NOT_MEASURED, Status.NOT_MEASURED)


def test_an_orchestrator_that_answers_too_late(ageing: Ageing) -> None:
    def late(url: str) -> str:
        raise httpx.ReadTimeout("")

    assert "ReadTimeout" in from_metrics("127.0.0.1:9091", ageing, late)[0].figure


# --- tests

JUNIT = """<?xml version="1.0" encoding="utf-8"?><testsuites><testsuite name="pytest" errors="{errors}"
failures="{failures}" skipped="1" tests="{tests}" timestamp="2026-05-19T12:00:00+00:00">
<testcase classname="tests.unit.test_a.TestThem" name="test_one" /><testcase classname="" name="tests.unit.test_b" />
</testsuite></testsuites>"""


def junit(folder: Path, text: str = JUNIT, **counts: int) -> tuple[Path, Path]:
    for name in ("test_a", "test_b"):
        (folder / "unit").mkdir(exist_ok=True)
        (folder / "unit" / f"{name}.py").touch()
    path = folder / "tests.xml"
    path.write_text(text.format(**{"errors": 0, "failures": 0, "tests": 2, **counts}), encoding="utf-8")
    return path, folder


def from_tests(given: tuple[Path, Path], ageing: Ageing) -> Finding:
    return from_junit(given[0], ageing, given[1])


def test_tests_that_pass(tmp_path: Path, ageing: Ageing) -> None:
    found = from_tests(junit(tmp_path), ageing)
    assert (found.status, found.figure, found.at) == (Status.GO, "2 tests, 0 failed, 1 skipped", YESTERDAY)


@pytest.mark.parametrize("counts", [{"errors": 1}, {"failures": 1}])
def test_tests_that_fail(tmp_path: Path, ageing: Ageing, counts: dict[str, int]) -> None:
    assert from_tests(junit(tmp_path, JUNIT, **counts), ageing).status is Status.NO_GO


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (JUNIT[:-30], "cut off"),
        ("", "cut off"),
        ("<html/>", "no tests of pytest's"),
        ("<testsuite/>", "of another kind"),
        (JUNIT.replace('tests="{tests}"', 'tests="1"'), "not one test was run"),
        (JUNIT.replace("2026-05-19", "2026-13-19"), "of another kind"),
        (JUNIT.replace("2026-05-19", "2027-05-19"), "from the future"),
        (JUNIT.replace("unit.test_b", "integration.test_b"), "1 files are missing"),
        (JUNIT.replace("unit.test_b", "unit.test_other"), "1 files are missing, unit/test_b.py is one"),
    ],
)
def test_results_of_tests_that_are_none(tmp_path: Path, ageing: Ageing, text: str, why: str) -> None:
    found = from_tests(junit(tmp_path, text), ageing)
    assert found.status is Status.NOT_MEASURED
    assert why in found.figure


def test_no_tests(tmp_path: Path, ageing: Ageing) -> None:
    assert from_junit(tmp_path / "tests.xml", ageing, tmp_path).status is Status.NOT_MEASURED


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=T", "-c", "user.email=t@example.org")
    command = ("git", "-C", str(folder), *identity, *arguments)
    moment = {"GIT_AUTHOR_DATE": "2026-05-19T13:00:00Z", "GIT_COMMITTER_DATE": "2026-05-19T13:00:00Z"}
    return (
        subprocess.run(command, check=True, capture_output=True, env={**os.environ, **moment}).stdout.decode().strip()
    )


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Its code was changed an hour after the tests and the reports of these tests."""
    folder = tmp_path / "repository"
    (folder / "client").mkdir(parents=True)
    git(folder, "init", "--quiet")
    for text in ("old", "new"):
        (folder / "client" / "code.py").write_text(text)
        git(folder, "add", ".")
        git(folder, "commit", "--quiet", "-m", text)
    return folder


def test_tests_of_other_code_are_no_go(tmp_path: Path, repository: Path) -> None:
    found = from_tests(junit(tmp_path), Ageing(NOW, Checkout(repository)))
    assert (found.status, found.remark) == (Status.STALE, "the code has changed since")


def test_a_human_verdict_of_other_code_stands_and_says_so(tmp_path: Path, repository: Path) -> None:
    ageing = Ageing(NOW, Checkout(repository))
    head, before = git(repository, "rev-parse", "HEAD"), git(repository, "rev-parse", "HEAD~1")
    remarks = {}
    for commit in (before, head, "--output=x"):
        folder = tmp_path / commit
        folder.mkdir()
        keep(replace(HUMAN, setting=replace(HUMAN.setting, commit=commit)), folder)
        found = from_reports(folder, ageing)
        assert found.status is Status.GO
        remarks[commit] = found.remark
    assert remarks == {before: "the code has changed since", head: "", "--output=x": "the code has changed since"}


def test_a_commit_is_not_what_was_made_of_it_since(repository: Path) -> None:
    head = git(repository, "rev-parse", "HEAD")
    assert Checkout(repository).has_changed_since(head) is False
    (repository / "client" / "code.py").write_text("newer")
    assert Checkout(repository).has_changed_since(head) is True
    assert Checkout(repository).has_changed_since(f"{head}-dirty") is None  # nobody knows what that was
    git(repository, "checkout", "--quiet", ".")
    (repository / "client" / "more.py").touch()
    assert Checkout(repository).has_changed_since(head) is True


def test_what_is_not_committed_yet_is_told(repository: Path) -> None:
    head = git(repository, "rev-parse", "--short=12", "HEAD")
    assert Checkout(repository).commit == head
    at(repository / "client" / "code.py", NOW)
    (repository / "client" / "more.py").write_text("more")
    at(repository / "client" / "more.py", NOW)
    assert Checkout(repository).commit == f"{head}-dirty"
    assert Checkout(repository).changed_at == NOW


# --- the line


@pytest.mark.parametrize(
    ("statuses", "needs_all", "whole"),
    [
        ((), False, Status.NOT_MEASURED),
        ((Status.NOT_MEASURED, Status.GO), False, Status.GO),
        ((Status.STALE, Status.GO), False, Status.GO),
        ((Status.STALE, Status.NOT_MEASURED), False, Status.STALE),
        ((Status.NO_GO, Status.GO), False, Status.NO_GO),
        ((Status.NOT_MEASURED, Status.GO), True, Status.NOT_MEASURED),
        ((Status.NO_GO, Status.NOT_MEASURED), True, Status.NO_GO),
        ((Status.GO, Status.GO), True, Status.GO),
        ((), True, Status.NOT_MEASURED),
    ],
)
def test_what_findings_come_to(statuses: tuple[Status, ...], needs_all: bool, whole: Status) -> None:
    findings = [Finding(status, "") for status in statuses]
    assert Line("name", "title", findings, needs_all=needs_all).status is whole
