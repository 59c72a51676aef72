"""client/doctor: models, settings, certificates and tokens, each made to fail by its real cause."""

import asyncio
import contextlib
import hashlib
import os
import re
import ssl
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from client.doctor.certificate import NoCertificateError, valid_until
from client.doctor.check import Finding, Verdict
from client.doctor.models import look_at_models
from client.doctor.plan import LocalService, made_plan
from client.doctor.settings import look_at_settings
from client.doctor.tls import look_at_tls
from client.options import Common
from client.peers import Peer
from services.common.channels import Connection
from services.common.models.registry import Model, ModelFile, Registry
from services.common.models.sources import parse_source
from services.common.security import ClientCredentials, ServerSecurity
from services.common.settings import ServerSettings

CONTENT = b"a model " * 1000
SUM = hashlib.sha256(CONTENT).hexdigest()
SOURCE = parse_source("https://models.example/model.bin")


def model(name: str = "a-model", *, sha256: str | None = SUM, profiles: Sequence[str] = ("embedded",)) -> Model:
    files = (ModelFile("model.bin", SOURCE, len(CONTENT), sha256), ModelFile("model.json", SOURCE))
    return Model(name, "for tests", "MIT", tuple(profiles), files if sha256 is None else files[:1])


def install(folder: Path, content: bytes = CONTENT) -> Path:
    path = folder / "a-model" / "model.bin"
    path.parent.mkdir()
    path.write_bytes(content)
    return path


async def look(folder: Path, of: Model | None = None, *, quick: bool = False) -> Finding:
    registry = Registry([of or model()])
    (finding,) = await look_at_models(
        folder, "embedded", quick=quick, advanced=lambda _file, _size: None, registry=registry
    )
    return finding


# --- models


async def test_a_model_that_is_right(tmp_path: Path) -> None:
    install(tmp_path)
    assert (await look(tmp_path)).verdict is Verdict.OK


async def test_a_model_that_is_missing(tmp_path: Path) -> None:
    finding = await look(tmp_path)
    assert finding.verdict is Verdict.PROBLEM
    assert finding.mend == "superwhisper models pull a-model"


async def test_a_model_of_which_a_file_is_missing(tmp_path: Path) -> None:
    install(tmp_path)
    finding = await look(tmp_path, model(sha256=None))
    assert finding.verdict is Verdict.PROBLEM
    assert finding.found == f"model.json missing in {tmp_path / 'a-model'}"


async def test_a_flipped_bit_is_found_by_its_sum_alone(tmp_path: Path) -> None:
    path = install(tmp_path)
    assert (await look(tmp_path)).verdict is Verdict.OK  # and remembered as verified
    stat = path.stat()
    path.write_bytes(b"A" + CONTENT[1:])
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    broken = await look(tmp_path)
    assert broken.verdict is Verdict.PROBLEM
    assert SUM in broken.found
    quick = await look(tmp_path, quick=True)
    assert quick.verdict is Verdict.OK
    assert "not computed" in quick.found


@pytest.mark.parametrize("quick", [True, False])
async def test_a_model_that_was_cut_short(tmp_path: Path, *, quick: bool) -> None:
    install(tmp_path, CONTENT[:-1])
    finding = await look(tmp_path, quick=quick)
    assert finding.verdict is Verdict.PROBLEM
    assert str(len(CONTENT) - 1) in finding.found


async def test_a_model_whose_sum_nobody_knows(tmp_path: Path) -> None:
    install(tmp_path)
    (tmp_path / "a-model" / "model.json").write_text("{}")
    assert (await look(tmp_path, model(sha256=None))).verdict is Verdict.WARNING


async def test_a_profile_without_models(tmp_path: Path) -> None:
    assert (await look(tmp_path, model(profiles=["cpu"]))).verdict is Verdict.NOT_APPLICABLE


async def test_how_far_the_sums_are_is_told(tmp_path: Path) -> None:
    install(tmp_path)
    told: list[tuple[str, int]] = []
    await look_at_models(
        tmp_path, "embedded", quick=False, advanced=lambda *done: told.append(done), registry=Registry([model()])
    )
    assert told == [("model.bin", len(CONTENT))]


# --- settings


async def settings_found(given: Common, profile: str = "embedded") -> dict[str, Finding]:
    return {finding.name: finding for finding in await look_at_settings(made_plan(given, profile))}


async def test_settings_without_fault() -> None:
    found = await settings_found(Common())
    assert {finding.verdict for finding in found.values()} == {Verdict.OK}
    assert set(found) == {"profile", "client", "stt", "llm", "tts", "orchestrator"}


@pytest.mark.parametrize(
    ("content", "name", "flaw"),
    [
        ("stt: {engine: [x]}", "stt", "stt.engine: there is no such key"),
        ("llm: {max_turns: -1}", "llm", "llm.max_turns"),
        ("client: {microfone: x}", "client", "client.microfone: there is no such key"),
        ("sst: {}", "client", "sst"),
    ],
)
async def test_a_wrong_key_names_itself(tmp_path: Path, content: str, name: str, flaw: str) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(content)
    found = await settings_found(Common(file))
    assert [other for other, finding in found.items() if finding.verdict is Verdict.PROBLEM] == [name]
    assert flaw in found[name].found


def test_what_is_elsewhere_is_not_looked_for_here(monkeypatch: pytest.MonkeyPatch) -> None:
    here = made_plan(Common(), "rtx3090")
    assert [service.name for service in here.services] == ["stt", "llm", "tts", "orchestrator"]
    assert set(here.wishes) == {"stt", "llm"}
    monkeypatch.setenv("SUPERWHISPER_CLIENT__ASSISTANT__ADDRESS", "home.example:50050")
    away = made_plan(Common(), "rtx3090")
    assert away.is_client_alone
    assert [peer.address for peer in away.peers] == ["home.example:50050"]


# --- certificates and tokens


class Papers:
    """Files as a server and its client have them, in their folder."""

    def __init__(self, folder: Path, ends: datetime | None = None) -> None:
        self.folder = folder
        self.ca = trustme.CA()
        leaf = self.ca.issue_cert("127.0.0.1", not_after=ends)
        self.server = ServerSecurity(
            tls_cert=self.file("server.pem", leaf.cert_chain_pems[0].bytes()),
            tls_key=self.file("server.key", leaf.private_key_pem.bytes()),
            token_file=self.file("token", b"0123456789abcdef-secret"),
        )
        self.client = ClientCredentials(
            tls_ca=self.file("ca.pem", self.ca.cert_pem.bytes()), token_file=self.server.token_file
        )

    def file(self, name: str, content: bytes, mode: int = 0o600) -> Path:
        path = self.folder / name
        path.write_bytes(content)
        path.chmod(mode)
        return path

    async def look(self) -> dict[str, Finding]:
        """At those of the server."""
        service = LocalService("stt", ServerSettings(port=50051, metrics_port=0, security=self.server))
        return {finding.name: finding for finding in await look_at_tls([service], [])}


async def test_papers_without_fault(tmp_path: Path) -> None:
    found = await Papers(tmp_path).look()
    assert {name: finding.verdict for name, finding in found.items()} == dict.fromkeys(
        ["stt: server.pem", "stt: server.key", "stt: token"], Verdict.OK
    )


@pytest.mark.parametrize(("days", "verdict"), [(-1, Verdict.PROBLEM), (7, Verdict.WARNING), (60, Verdict.OK)])
async def test_certificates_expire(tmp_path: Path, days: int, verdict: Verdict) -> None:
    ends = datetime.now(UTC) + timedelta(days=days)
    finding = (await Papers(tmp_path, ends).look())["stt: server.pem"]
    assert finding.verdict is verdict
    assert f"{ends:%Y-%m-%d}" in finding.found


async def test_a_key_that_others_may_read(tmp_path: Path) -> None:
    papers = Papers(tmp_path)
    (tmp_path / "server.key").chmod(0o644)
    finding = (await papers.look())["stt: server.key"]
    assert (finding.verdict, finding.mend) == (Verdict.WARNING, f"chmod 600 {tmp_path / 'server.key'}")


async def test_a_key_of_another_certificate(tmp_path: Path) -> None:
    papers = Papers(tmp_path)
    papers.file("server.key", trustme.CA().issue_cert("127.0.0.1").private_key_pem.bytes())
    finding = (await papers.look())["stt: server.key"]
    assert finding.verdict is Verdict.PROBLEM
    assert "KEY_VALUES_MISMATCH" in finding.found


async def test_files_that_are_not_there_or_not_what_they_should_be(tmp_path: Path) -> None:
    papers = Papers(tmp_path)
    (tmp_path / "server.pem").write_text("nothing")
    (tmp_path / "server.key").unlink()
    (tmp_path / "token").write_text("s3cret")
    found = await papers.look()
    assert {finding.verdict for finding in found.values()} == {Verdict.PROBLEM}
    assert "cannot be read" in found["stt: server.key"].found
    assert "holds no certificate" in found["stt: server.pem"].found
    assert not any("s3cret" in finding.found + finding.mend for finding in found.values())


def test_when_a_certificate_ends_is_read_as_others_read_it(tmp_path: Path) -> None:
    for ends in (datetime(2049, 12, 31, tzinfo=UTC), datetime(2050, 1, 1, tzinfo=UTC)):  # two forms of dates
        pem = trustme.CA().issue_cert("a.example", not_after=ends).cert_chain_pems[0].bytes().decode()
        assert valid_until(pem) == ends
    for broken in ("", "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----"):
        with pytest.raises(NoCertificateError):
            valid_until(broken)


@pytest.mark.parametrize(
    ("flaw", "verdict", "told"),
    [
        ("", Verdict.OK, "holds"),
        ("expired", Verdict.PROBLEM, "expired"),
        ("unknown", Verdict.PROBLEM, "self-signed|issuer"),
    ],
)
async def test_the_handshake_with_a_service(tmp_path: Path, flaw: str, verdict: Verdict, told: str) -> None:
    papers = Papers(tmp_path, datetime.now(UTC) - timedelta(days=2) if flaw == "expired" else None)
    if flaw == "unknown":
        papers.file("ca.pem", trustme.CA().cert_pem.bytes())
    async with tls_listener(papers) as address:
        peer = Peer("assistant", Connection(address, papers.client))
        finding = (await look_at_tls([], [peer]))[-1]
    assert (finding.name, finding.verdict) == ("client.assistant: handshake", verdict)
    assert re.search(told, finding.found)


@contextlib.asynccontextmanager
async def tls_listener(papers: Papers) -> AsyncIterator[str]:
    """Shakes hands as a service would, whatever its certificate is worth."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(str(papers.server.tls_cert), str(papers.server.tls_key))
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0, ssl=context)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_papers_that_all_connections_share_are_told_once(tmp_path: Path) -> None:
    nowhere = ClientCredentials(tls_ca=tmp_path / "ca.pem", token_file=tmp_path / "token")
    peers = [Peer(name, Connection("127.0.0.1:50050", nowhere)) for name in ("assistant", "stt")]
    findings = await look_at_tls([], peers)
    assert [finding.name for finding in findings] == ["client: ca.pem", "client: token"]
    assert findings[1].mend == "put the token of the services there"


async def test_another_machine_without_tls_is_a_warning() -> None:
    (finding,) = await look_at_tls([], [Peer("assistant", Connection("home.example:50050"))])
    assert finding.verdict is Verdict.WARNING
    (finding,) = await look_at_tls([], [Peer("assistant", Connection("127.0.0.1:50050"))])
    assert finding.verdict is Verdict.NOT_APPLICABLE
