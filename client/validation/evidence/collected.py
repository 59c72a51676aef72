"""All lines of the table, each with its evidence."""

import os
from dataclasses import dataclass
from pathlib import Path

from client.config import ClientSection
from client.messages import tr
from client.validation.evidence.bench import from_bench
from client.validation.evidence.finding import Ageing, Line
from client.validation.evidence.human import from_reports
from client.validation.evidence.live import from_metrics
from client.validation.evidence.reach import METRICS_PORTS, from_ports
from client.validation.evidence.refusal import from_starts
from client.validation.evidence.secrets import from_settings
from client.validation.evidence.tests import from_junit
from services.common.security import is_loopback


@dataclass(frozen=True)
class Sources:
    """Where the evidence lies."""

    bench: Path
    validation: Path
    tests: Path
    metrics: str
    config: Path | None
    client: ClientSection


async def collect(sources: Sources, ageing: Ageing) -> list[Line]:
    """Reads the files, asks what runs, and tries the services."""
    bench_time, bench_success = from_bench(sources.bench, ageing)
    live_time, live_success = from_metrics(sources.metrics, ageing)
    secrets = from_settings(sources.config, os.environ, sources.client.model_dump(), ageing)
    refusals = await from_starts(ageing.now)
    ports = await from_ports(_ports_here(sources.client), METRICS_PORTS, ageing)
    tests = from_junit(sources.tests, ageing, ageing.checkout.root / "tests")
    return [
        Line("latency", tr("95 of 100 turns answered in less than 1.2 s"), (bench_time, live_time)),
        Line("success", tr("More than 99 % of turns succeed"), (bench_success, live_success)),
        Line("tests", tr("All tests pass"), (tests,)),
        Line("human", tr("Validated by a person who listened"), (from_reports(sources.validation, ageing),)),
        Line("refusal", tr("No service listens to others without TLS and a token"), refusals, needs_all=True),
        Line("secrets", tr("Tokens and keys are for their owner alone"), secrets, needs_all=True),
        Line("ports", tr("Others reach nothing in clear"), ports),
    ]


def _ports_here(client: ClientSection) -> list[int]:
    """Of the services that the settings place on this machine."""
    addresses = [
        address.strip()
        for peer in (client.assistant, client.stt, client.llm, client.tts)
        for address in peer.address.split(",")
    ]
    split = [address.rpartition(":") for address in addresses]
    return [int(port) for host, _, port in split if is_loopback(host) and port.isdecimal()]
