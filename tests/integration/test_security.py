"""TLS, mutual TLS and token on real connections."""

from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest
import trustme

from services.common.channels import Connection
from services.common.errors import InsecureError, SettingsError
from services.common.security import ClientCredentials, ServerSecurity
from superwhisper.tts.v1 import tts_pb2
from tests.support.health import SERVING, check
from tests.support.scripted import LIMIT_S, scripted_service, stub_for
from tests.support.servers import child_service, loopback, serving, start_and_stop

_TOKEN = "0123456789abcdef-secret"


@dataclass(frozen=True)
class Papers:
    """Files that make each side known to the other, and those of a stranger."""

    server: ServerSecurity
    client: ClientCredentials
    stranger: ClientCredentials


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    folder = tmp_path_factory.mktemp("papers")
    ours, theirs = trustme.CA(), trustme.CA()

    def file(name: str, content: bytes) -> Path:
        path = folder / name
        path.write_bytes(content)
        return path

    def pair(name: str, ca: trustme.CA, *hosts: str) -> dict[str, Path]:
        certificate = ca.issue_cert(*hosts)
        return {
            "tls_cert": file(f"{name}.pem", certificate.cert_chain_pems[0].bytes()),
            "tls_key": file(f"{name}.key", certificate.private_key_pem.bytes()),
        }

    our_ca, their_ca = file("ca.pem", ours.cert_pem.bytes()), file("their-ca.pem", theirs.cert_pem.bytes())
    server = ServerSecurity(
        **pair("server", ours, "127.0.0.1", "localhost"), client_ca=our_ca, token_file=file("token", _TOKEN.encode())
    )
    client = ClientCredentials(
        **pair("client", ours, "client.example"), tls_ca=our_ca, token_file=file("client-token", _TOKEN.encode())
    )
    stranger = ClientCredentials(
        **pair("stranger", theirs, "client.example"), tls_ca=their_ca, token_file=file("wrong-token", b"x" * 30)
    )
    return Papers(server, client, stranger)


async def _ask(address: str, credentials: ClientCredentials) -> grpc.StatusCode:
    """The status of an ordinary call."""
    connection = Connection(address, credentials)
    async with connection.open() as channel:
        call = stub_for(channel).ListVoices(tts_pb2.ListVoicesRequest(), **connection.call_options(LIMIT_S))
        try:
            await call
        except grpc.aio.AioRpcError as error:
            return error.code()
        return grpc.StatusCode.OK


def _with(credentials: ClientCredentials, **changes: Path | None) -> ClientCredentials:
    return ClientCredentials(**{**credentials.model_dump(), **changes})


_OK, _REFUSED, _UNKNOWN = grpc.StatusCode.OK, grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNAUTHENTICATED


async def test_tls_lets_in_whoever_trusts_it_and_nobody_in_clear(papers: Papers) -> None:
    security = papers.server.model_copy(update={"client_ca": None, "token_file": None})
    trusting = ClientCredentials(tls_ca=papers.client.tls_ca)
    async with serving(scripted_service(), loopback(security=security), credentials=trusting) as address:
        assert await _ask(address, trusting) is _OK
        assert await _ask(address, ClientCredentials(tls_ca=papers.stranger.tls_ca)) is _REFUSED
        assert await _ask(address, ClientCredentials()) is _REFUSED


async def test_mutual_tls_lets_in_only_clients_of_our_ca(papers: Papers) -> None:
    security = papers.server.model_copy(update={"token_file": None})
    known = _with(papers.client, token_file=None)
    async with serving(scripted_service(), loopback(security=security), credentials=known) as address:
        assert await _ask(address, known) is _OK
        assert await _ask(address, _with(known, tls_cert=None, tls_key=None)) is _REFUSED
        forged = _with(known, tls_cert=papers.stranger.tls_cert, tls_key=papers.stranger.tls_key)
        assert await _ask(address, forged) is _REFUSED


async def test_the_token_is_needed_for_all_but_health(papers: Papers) -> None:
    security = ServerSecurity(token_file=papers.server.token_file)
    knowing = ClientCredentials(token_file=papers.client.token_file)
    async with serving(scripted_service(), loopback(security=security)) as address:
        assert await _ask(address, knowing) is _OK
        assert await _ask(address, ClientCredentials()) is _UNKNOWN
        assert await _ask(address, ClientCredentials(token_file=papers.stranger.token_file)) is _UNKNOWN
        async with Connection(address).open() as channel:
            assert await check(channel) == SERVING
            for wrong in (_TOKEN, f"bearer {_TOKEN}", f"Bearer {_TOKEN}x", "Bearer "):
                with pytest.raises(grpc.aio.AioRpcError) as caught:
                    await stub_for(channel).ListVoices(
                        tts_pb2.ListVoicesRequest(), timeout=LIMIT_S, metadata=(("authorization", wrong),)
                    )
                assert caught.value.code() is _UNKNOWN
                assert _TOKEN not in (caught.value.details() or "")


async def test_all_of_it_together_on_a_real_process(papers: Papers) -> None:
    flags = [
        argument
        for name, path in papers.server.model_dump().items()
        for argument in (f"--tts.server.security.{name}", str(path))
    ]
    host = ("--tts.server.host", "0.0.0.0")  # allowed now
    async with child_service("tts", *host, *flags, credentials=papers.client) as tts:
        assert await _ask(tts.address, papers.client) is _OK
        assert await _ask(tts.address, _with(papers.client, token_file=None)) is _UNKNOWN
        assert await _ask(tts.address, papers.stranger) is _REFUSED
        assert _TOKEN not in tts.output()


async def test_a_public_address_without_them_is_refused_before_anything_listens() -> None:
    settings = loopback(host="0.0.0.0")
    with pytest.raises(InsecureError, match=r"0\.0\.0\.0"):
        await start_and_stop(scripted_service(), settings)
    assert await _ask(f"127.0.0.1:{settings.port}", ClientCredentials()) is _REFUSED


@pytest.mark.parametrize("broken", ["tls_cert", "tls_key", "client_ca"])
async def test_files_that_are_no_certificates_are_named(papers: Papers, broken: str, tmp_path: Path) -> None:
    """gRPC itself says no more than that it could not bind."""
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n")
    security = papers.server.model_copy(update={broken: nonsense})
    with pytest.raises(SettingsError, match="nonsense"):
        await start_and_stop(scripted_service(), loopback(security=security))


async def test_a_key_of_another_certificate_is_named(papers: Papers) -> None:
    security = papers.server.model_copy(update={"tls_key": papers.client.tls_key})
    with pytest.raises(SettingsError, match=r"client\.key"):
        await start_and_stop(scripted_service(), loopback(security=security))
