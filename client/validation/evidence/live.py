"""What the orchestrator that runs now tells of its last turns, in its metrics."""

from collections.abc import Callable, Iterable
from datetime import datetime

import httpx
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from client.messages import tr
from client.validation.evidence.bench import success_finding, time_finding
from client.validation.evidence.finding import Ageing, Finding, not_measured

ADDRESS = "127.0.0.1:9091"
_P95 = "pipeline_latency_p95_last_100_seconds"
_COUNT = "pipeline_latency_seconds_count"
_TURNS = "pipeline_requests_total"
_LIMIT_S = 3.0
_LAST = 100  # turns that the gauge is of


def from_metrics(address: str, ageing: Ageing, fetch: Callable[[str], str] | None = None) -> tuple[Finding, Finding]:
    """The time of a reply, and the share of good turns."""
    url = f"http://{address}/metrics"
    try:
        families = list(text_string_to_metric_families((fetch or _fetch)(url)))
        return _time(families, url, ageing.now), _success(families, url, ageing.now)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        why = tr("no running orchestrator tells its metrics ({problem})", problem=str(error) or type(error).__name__)
        return not_measured(why, url), not_measured(why, url)
    except (ValueError, OverflowError) as error:  # also a count that is no number
        why = tr("what answers there tells no metrics ({problem})", problem=error)
        return not_measured(why, url), not_measured(why, url)


def _fetch(url: str) -> str:
    response = httpx.get(url, timeout=_LIMIT_S, trust_env=False)  # a proxy must not be asked for what runs here
    response.raise_for_status()
    return response.text


def _time(families: Iterable[Metric], url: str, now: datetime) -> Finding:
    p95_s, count = _value(families, _P95), _value(families, _COUNT)
    if p95_s is None or count is None:
        return not_measured(tr("it tells no such metric: is it an orchestrator of this version?"), url)
    if not count:
        return not_measured(tr("there was no spoken turn yet"), url)
    return _at(time_finding(p95_s * 1000, min(int(count), _LAST), url), now)


def _success(families: Iterable[Metric], url: str, now: datetime) -> Finding:
    turns, failed = _value(families, _TURNS), _value(families, _TURNS, outcome="failed")
    if turns is None:
        return not_measured(tr("there was no turn yet"), url)
    return _at(success_finding(int(failed or 0), int(turns), url), now)


def _at(finding: Finding, now: datetime) -> Finding:
    return Finding(finding.status, finding.figure, finding.source, now, finding.remark)


def _value(families: Iterable[Metric], name: str, **labels: str) -> float | None:
    """The sum over all labels that were not named; None where there is no such sample."""
    values = [
        sample.value
        for family in families
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    ]
    return sum(values) if values else None
