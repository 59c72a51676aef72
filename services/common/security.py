"""Who may connect: TLS, mutual TLS and a token; nothing but loopback without them."""

import ipaddress
import ssl
from functools import cached_property
from pathlib import Path

import grpc
from pydantic import BaseModel, ConfigDict, Field

from services.common.errors import InsecureError, SettingsError


class ServerSecurity(BaseModel):
    """What a server asks of its callers. All empty: loopback only, in clear."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tls_cert: Path | None = Field(None, description="Certificate chain of this server, PEM.")
    tls_key: Path | None = Field(None, description="Private key of this server, PEM.")
    client_ca: Path | None = Field(None, description="Demand client certificates signed by this CA (mutual TLS), PEM.")
    token_file: Path | None = Field(None, description="File with the token that callers must send.")

    def token(self) -> str | None:
        """The token, where one is demanded."""
        return read_token(self.token_file) if self.token_file else None

    def server_credentials(self) -> grpc.ServerCredentials | None:
        """TLS as configured, or None."""
        if self.tls_cert is None and self.tls_key is None:
            return None
        if self.tls_cert is None or self.tls_key is None:
            raise SettingsError("security: tls_cert and tls_key belong together, one of them is missing")
        client_ca = read_pem(self.client_ca) if self.client_ca else None
        pair = (read_pem(self.tls_key), read_pem(self.tls_cert))
        _check_papers(self.tls_cert, self.tls_key, self.client_ca)
        return grpc.ssl_server_credentials([pair], client_ca, require_client_auth=client_ca is not None)

    def check_address(self, host: str) -> None:
        """Refuses an address that others can reach, unless both TLS and a token protect it."""
        if is_loopback(host) or (self.tls_cert and self.tls_key and self.token_file):
            return
        raise InsecureError(
            f"{host} can be reached by others: set security.tls_cert, security.tls_key and security.token_file, "
            "or listen on 127.0.0.1"
        )


class ClientCredentials(BaseModel):
    """What a client shows to a server."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tls_ca: Path | None = Field(None, description="CA that signed the server's certificate, PEM; turns TLS on.")
    tls_cert: Path | None = Field(None, description="Certificate of this client (mutual TLS), PEM.")
    tls_key: Path | None = Field(None, description="Private key of this client (mutual TLS), PEM.")
    token_file: Path | None = Field(None, description="File with the token to send.")

    def channel_credentials(self) -> grpc.ChannelCredentials | None:
        """TLS as configured, or None."""
        if self.tls_ca is None:
            return None
        key = read_pem(self.tls_key) if self.tls_key else None
        cert = read_pem(self.tls_cert) if self.tls_cert else None
        return grpc.ssl_channel_credentials(read_pem(self.tls_ca), key, cert)

    @cached_property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        """The token, where there is one; read once."""
        return (("authorization", f"Bearer {read_token(self.token_file)}"),) if self.token_file else ()


def _check_papers(cert: Path, key: Path, client_ca: Path | None) -> None:
    """Names the file that is wrong; gRPC would say no more than that it cannot bind."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(cert.expanduser(), key.expanduser(), password="")
    except ssl.SSLError as error:
        raise SettingsError(f"security: {cert} and {key} are not a certificate and its key ({error.reason})") from error
    if client_ca is None:
        return
    try:
        context.load_verify_locations(client_ca.expanduser())
    except ssl.SSLError as error:
        raise SettingsError(f"security: {client_ca} holds no certificate ({error.reason})") from error


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address. Names other than localhost are not trusted to stay local."""
    if host in {"localhost", "localhost."} or host.startswith(("unix:", "unix-abstract:")):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def read_pem(path: Path) -> bytes:
    """The file's bytes, or a sentence that names it."""
    try:
        return path.expanduser().read_bytes()
    except OSError as error:
        raise SettingsError(f"security: {path} cannot be read ({error.strerror})") from error


def read_token(path: Path) -> str:
    """The token in the file, or a sentence that names it."""
    token = read_pem(path).decode(errors="replace").strip()
    if len(token) < 16:
        raise SettingsError(f"security: the token in {path} has fewer than 16 characters")
    return token
