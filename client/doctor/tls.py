"""The files of TLS and tokens, where some are set: readable, fitting, not expired, and nobody else's to read."""

import asyncio
import ssl
import stat
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from client.doctor.certificate import NoCertificateError, valid_until
from client.doctor.check import Finding, not_applicable, ok, problem, warning
from client.doctor.outside import in_thread
from client.doctor.plan import LocalService
from client.messages import tr
from client.peers import Peer
from services.common.errors import SettingsError
from services.common.security import ClientCredentials, ServerSecurity, is_loopback, read_pem, read_token

_SOON = timedelta(days=14)
_HANDSHAKE_LIMIT_S = 4.0
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def _now() -> datetime:
    return datetime.now(UTC)


async def look_at_tls(
    services: Sequence[LocalService], peers: Sequence[Peer], now: Callable[[], datetime] = _now
) -> Sequence[Finding]:
    """Of each service of this machine, then of each connection of the client."""
    findings: list[Finding] = []
    for service in services:
        findings += await in_thread(partial(_papers, service.name, service.server.security, now()))
    for peer in peers:
        credentials = peer.connection.credentials
        found = await in_thread(partial(_papers, "client", credentials, now()))
        findings += found
        if credentials.tls_ca and not any(finding.mend for finding in found):
            findings.append(await _handshake(peer, credentials.tls_ca, credentials))
        elif credentials.tls_ca is None and not is_loopback(peer.address.rpartition(":")[0]):
            found_open = tr("{address} is another machine, and would be spoken to in the clear", address=peer.address)
            findings.append(warning(f"client.{peer.name}", found_open, "superwhisper --ca FILE --token-file FILE talk"))
    return list(dict.fromkeys(findings)) or [
        not_applicable("TLS", tr("none is set, and none is needed within one machine"))
    ]


def _papers(name: str, papers: ServerSecurity | ClientCredentials, now: datetime) -> list[Finding]:
    ca = papers.client_ca if isinstance(papers, ServerSecurity) else papers.tls_ca
    findings = [_certificate(f"{name}: {path.name}", path, now) for path in (papers.tls_cert, ca) if path]
    if papers.tls_key:
        findings.append(_key(f"{name}: {papers.tls_key.name}", papers.tls_key, papers.tls_cert))
    if papers.token_file:
        is_server = isinstance(papers, ServerSecurity)
        findings.append(_token(f"{name}: {papers.token_file.name}", papers.token_file, is_server=is_server))
    return findings


def _certificate(name: str, path: Path, now: datetime) -> Finding:
    renew = tr("have a new one made, and put it there")
    try:
        ends = valid_until(read_pem(path).decode("ascii", errors="replace"))
    except SettingsError as error:
        return problem(name, str(error), tr("mend the path in the settings, or the file's permissions"))
    except NoCertificateError:
        return problem(name, tr("{path} holds no certificate", path=path), renew)
    day = ends.date().isoformat()
    if ends <= now:
        return problem(name, tr("it expired on {day}", day=day), renew)
    if ends <= now + _SOON:
        return warning(name, tr("it expires on {day}", day=day), renew)
    return ok(name, tr("valid until {day}", day=day))


def _key(name: str, path: Path, certificate: Path | None) -> Finding:
    try:
        read_pem(path)
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate.expanduser(), path.expanduser(), password="")
    except SettingsError as error:
        return problem(name, str(error), tr("mend the path in the settings, or the file's permissions"))
    except (ssl.SSLError, OSError) as error:
        reason = getattr(error, "reason", None) or str(error)
        found = tr("it does not fit to {certificate} ({reason})", certificate=certificate, reason=reason)
        return problem(name, found, tr("set the key that belongs to the certificate"))
    return _private(name, path, tr("it fits to its certificate"))


def _token(name: str, path: Path, *, is_server: bool) -> Finding:
    try:
        read_token(path)
    except SettingsError as error:
        mend = f"openssl rand -hex 32 > {path}" if is_server else tr("put the token of the services there")
        return problem(name, str(error), mend)
    return _private(name, path, tr("readable"))


def _private(name: str, path: Path, found: str) -> Finding:
    """A secret is its owner's; Windows tells who may read a file by other means."""
    if sys.platform != "win32" and path.expanduser().stat().st_mode & _OTHERS:
        return warning(name, tr("others on this machine may read it"), f"chmod 600 {path}")
    return ok(name, found)


async def _handshake(peer: Peer, ca: Path, credentials: ClientCredentials) -> Finding:
    """Shakes hands as gRPC would, and tells why not: gRPC itself says no more than that nobody answers."""
    name = tr("{peer}: handshake", peer=f"client.{peer.name}")
    host, _, port = peer.address.rpartition(":")
    try:
        context = await in_thread(lambda: _context(ca, credentials))
        async with asyncio.timeout(_HANDSHAKE_LIMIT_S):
            _, writer = await asyncio.open_connection(host.strip("[]"), int(port), ssl=context)
    except ssl.SSLCertVerificationError as error:
        found = tr(
            "the certificate of {address} is refused: {reason}", address=peer.address, reason=error.verify_message
        )
        return problem(name, found, tr("set tls_ca to the CA that signed it, or have a new one made for that name"))
    except (ssl.SSLError, OSError, TimeoutError) as error:
        found = tr(
            "{address} does not shake hands: {reason}", address=peer.address, reason=str(error) or tr("no answer")
        )
        return problem(name, found, tr("is it running, with TLS, at that address?"))
    writer.close()
    return ok(name, tr("{address} shows a certificate that holds", address=peer.address))


def _context(ca: Path, credentials: ClientCredentials) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(ca.expanduser()))
    context.set_alpn_protocols(["h2"])
    if credentials.tls_cert and credentials.tls_key:
        context.load_cert_chain(credentials.tls_cert.expanduser(), credentials.tls_key.expanduser(), password="")
    return context
