"""services/common/security.py: who may connect. What TLS really lets in: tests/integration/test_security.py."""

from pathlib import Path

import pytest

from services.common.errors import InsecureError, SettingsError
from services.common.security import ClientCredentials, ServerSecurity, is_loopback


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "[::1]", "localhost", "localhost."])
def test_only_this_machine_reaches_it(host: str) -> None:
    assert is_loopback(host)
    ServerSecurity().check_address(host)


@pytest.mark.parametrize(
    "host",
    [
        "0.0.0.0",
        "::",
        "[::]",
        "",
        "192.168.1.5",
        "10.0.0.1",
        "fe80::1",
        "localhost.example.com",
        "mybox",
        "127.0.0.1.nip.io",
    ],
)
def test_others_may_reach_it(host: str, tmp_path: Path) -> None:
    assert not is_loopback(host)
    files = {name: tmp_path / name for name in ("tls_cert", "tls_key", "token_file")}
    for missing in files:
        partial = ServerSecurity.model_validate({name: path for name, path in files.items() if name != missing})
        with pytest.raises(InsecureError, match="token_file"):
            partial.check_address(host)
    ServerSecurity.model_validate(files).check_address(host)


def test_a_short_token_is_refused_and_a_missing_file_named(tmp_path: Path) -> None:
    token = tmp_path / "token"
    security = ServerSecurity(token_file=token)
    with pytest.raises(SettingsError, match=str(token)):
        security.token()
    token.write_text("too short\n")
    with pytest.raises(SettingsError, match="fewer than 16"):
        security.token()
    with pytest.raises(SettingsError, match="fewer than 16"):
        _ = ClientCredentials(token_file=token).metadata
    token.write_text("  0123456789abcdef\n")
    assert security.token() == "0123456789abcdef"
    assert ClientCredentials(token_file=token).metadata == (("authorization", "Bearer 0123456789abcdef"),)


def test_without_settings_there_is_neither_tls_nor_token() -> None:
    assert ServerSecurity().token() is None
    assert ServerSecurity().server_credentials() is None
    assert ClientCredentials().channel_credentials() is None
    assert ClientCredentials().metadata == ()


@pytest.mark.parametrize("alone", ["tls_cert", "tls_key"])
def test_certificate_and_key_belong_together(alone: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="belong together"):
        ServerSecurity.model_validate({alone: tmp_path / "file.pem"}).server_credentials()
