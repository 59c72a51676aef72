"""What people said who validated, and what is seen of a machine's safety."""

import asyncio
import os
import ssl
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import trustme

from client.validation.checkout import Checkout
from client.validation.evidence.finding import Ageing, Status
from client.validation.evidence.human import from_reports
from client.validation.evidence.reach import from_ports
from client.validation.evidence.secrets import from_settings
from client.validation.keeping import keep
from client.validation.record import Kind, Record, Verdict, to_json
from tests.support.servers import free_port
from tests.support.validations import ALL_TAKES, HUMAN, JUDGEMENT, NOW


@pytest.fixture
def ageing(tmp_path: Path) -> Ageing:
    return Ageing(NOW, Checkout(tmp_path / "no checkout"))


def test_the_newest_person_decides(tmp_path: Path, ageing: Ageing) -> None:
    keep(HUMAN, tmp_path)
    assert from_reports(tmp_path, ageing).status is Status.GO
    later = replace(HUMAN.setting, began_at=NOW - timedelta(hours=1))
    keep(replace(HUMAN, setting=later, judgement=replace(JUDGEMENT, verdict=Verdict.TO_CORRECT)), tmp_path)
    found = from_reports(tmp_path, ageing)
    assert (found.status, found.figure) == (Status.NO_GO, "to correct by Camille; 5, 4 and 3 of 5")


@pytest.mark.parametrize(
    ("verdict", "status"), [(Verdict.VALIDATED, Status.GO), (Verdict.WITH_RESERVATIONS, Status.NO_GO)]
)
def test_reservations_are_no_go(tmp_path: Path, ageing: Ageing, verdict: Verdict, status: Status) -> None:
    keep(replace(HUMAN, judgement=replace(JUDGEMENT, verdict=verdict)), tmp_path)
    assert from_reports(tmp_path, ageing).status is status


@pytest.mark.parametrize(
    ("record", "why"),
    [
        (replace(HUMAN, setting=replace(HUMAN.setting, kind=Kind.RECORDINGS)), "no person has validated"),
        (replace(HUMAN, incomplete_because="it was broken off"), "it was not finished: it was broken off"),
        (replace(HUMAN, judgement=None), "it holds no verdict"),
        (replace(HUMAN, takes=ALL_TAKES[:-1]), "missing: interruption"),
        (replace(HUMAN, setting=replace(HUMAN.setting, began_at=NOW + timedelta(days=1))), "from the future"),
    ],
)
def test_a_report_that_is_no_verdict(tmp_path: Path, ageing: Ageing, record: Record, why: str) -> None:
    keep(record, tmp_path)
    found = from_reports(tmp_path, ageing)
    assert found.status is Status.NOT_MEASURED
    assert why in found.figure


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("2026-05-19-235959-human.json", Status.NOT_MEASURED),
        ("mine.json", Status.NOT_MEASURED),
        ("2026-05-01-000000-human.json", Status.GO),
    ],
)
def test_what_cannot_be_read_may_be_the_newest(tmp_path: Path, ageing: Ageing, name: str, status: Status) -> None:
    keep(HUMAN, tmp_path)
    (tmp_path / name).write_text(to_json(HUMAN)[:100])
    assert from_reports(tmp_path, ageing).status is status


def test_no_reports(tmp_path: Path, ageing: Ageing) -> None:
    assert from_reports(tmp_path / "none", ageing).status is Status.NOT_MEASURED


def test_an_old_verdict_is_no_go(tmp_path: Path, ageing: Ageing) -> None:
    keep(replace(HUMAN, setting=replace(HUMAN.setting, began_at=NOW - timedelta(days=31))), tmp_path)
    assert from_reports(tmp_path, ageing).status is Status.STALE


# --- tokens, keys and ports


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
@pytest.mark.parametrize(("mode", "status"), [(0o600, Status.GO), (0o640, Status.NO_GO), (0o604, Status.NO_GO)])
def test_who_may_read_a_token(tmp_path: Path, ageing: Ageing, mode: int, status: Status) -> None:
    token, config = tmp_path / "token", tmp_path / "mine.yaml"
    token.touch()
    token.chmod(mode)
    config.write_text(f"stt:\n  server:\n    security: {{token_file: '{token}'}}\n", encoding="utf-8")
    of_file = from_settings(config, {}, {}, ageing)
    of_environment = from_settings(None, {"SUPERWHISPER_LLM__SERVER__SECURITY__TLS_KEY": str(token)}, {}, ageing)
    of_its_file = from_settings(None, {"SUPERWHISPER_CONFIG": str(config)}, {}, ageing)
    of_client = from_settings(None, {}, {"assistant": {"credentials": {"token_file": token}}}, ageing)
    found = (of_file, of_environment, of_its_file, of_client)
    assert [[one.status for one in each] for each in found] == [[status]] * 4


def test_a_token_that_is_not_there(tmp_path: Path, ageing: Ageing) -> None:
    environment = {"SUPERWHISPER_CLIENT__STT__CREDENTIALS__TOKEN_FILE": str(tmp_path / "none")}
    assert [one.status for one in from_settings(None, environment, {}, ageing)] == [Status.NOT_MEASURED]


async def test_ports_that_others_reach(ageing: Ageing) -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        [closed] = await from_ports([port], [], ageing, others=[])
        [opened] = await from_ports([port], [], ageing, others=["127.0.0.1"])  # as if it were reached from elsewhere
        [metrics] = await from_ports([], [port], ageing, others=["127.0.0.1"])
    assert closed.status is Status.GO
    assert (opened.status, metrics.status) == (Status.NO_GO, Status.NO_GO)
    assert f"127.0.0.1:{port}" in opened.figure


async def test_ports_of_which_none_is_open(ageing: Ageing) -> None:
    [found] = await from_ports([free_port()], [free_port()], ageing)
    assert found.status is Status.NOT_MEASURED


async def test_a_port_that_others_reach_by_tls(ageing: Ageing) -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("assistant.example.org").configure_cert(context)
    async with await asyncio.start_server(greet, "127.0.0.1", 0, ssl=context) as server:
        port = server.sockets[0].getsockname()[1]
        [found] = await from_ports([port], [], ageing, others=["127.0.0.1"])
        [metrics] = await from_ports([], [port], ageing, others=["127.0.0.1"])
    assert (found.status, metrics.status) == (Status.GO, Status.NO_GO)
