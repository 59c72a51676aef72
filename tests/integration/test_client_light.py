"""The extra `client` alone is enough to talk to an assistant elsewhere, and no command loads what it does not need."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import trustme

from client.cli import app
from client.commands import COMMANDS
from services.common.audio import Recording, read_wav, write_wav
from services.common.security import ClientCredentials, ServerSecurity
from tests.fakes.assistant import ScriptedAssistant, ScriptedTurn
from tests.support.installation import distributions_of_extra, modules_of_others
from tests.support.servers import child_python, loopback, serving

_TOKEN = "0123456789abcdef-secret"
_SERVICES = ("services.stt", "services.llm", "services.tts", "services.orchestrator")
_PLAIN = {
    "SUPERWHISPER_CLIENT__MICROPHONE": "none",
    "SUPERWHISPER_CLIENT__LOUDSPEAKER": "none",
    "SUPERWHISPER_CLIENT__INTERFACE": "en",
}
# Half a second, loud to its last sample.
_TONE = (np.sin(np.arange(4000) / 4) * 8000).astype(np.int16)


@dataclass(frozen=True)
class _Remote:
    """An assistant that asks for a token, over TLS, and what lets a client in."""

    address: str
    assistant: ScriptedAssistant
    ca: Path
    token_file: Path


@asynccontextmanager
async def _remote(folder: Path) -> AsyncIterator[_Remote]:
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    ca, cert, key, token = (folder / name for name in ("ca.pem", "server.pem", "server.key", "token"))
    authority.cert_pem.write_to_path(ca)
    certificate.cert_chain_pems[0].write_to_path(cert)
    certificate.private_key_pem.write_to_path(key)
    token.write_text(_TOKEN)
    assistant = ScriptedAssistant([ScriptedTurn()])
    security = ServerSecurity(tls_cert=cert, tls_key=key, token_file=token)
    credentials = ClientCredentials(tls_ca=ca, token_file=token)
    async with serving(assistant.service(), loopback(security=security), credentials=credentials) as address:
        yield _Remote(address, assistant, ca, token)


async def _alone(folder: Path, *arguments: str | Path) -> tuple[int, str, list[str]]:
    """Exit code, output and imported modules of a command where nothing is installed but the extra `client`."""
    refused = json.dumps([*modules_of_others(distributions_of_extra("client")), *_SERVICES])
    imported = folder / "imported"
    environment = {**_PLAIN, "IMPORTED_FILE": str(imported)}
    command = ["-m", "tests.support.closed_imports", refused, "client", *map(str, arguments)]
    with child_python("client", command, environment=environment) as child:
        code = await child.ended()
        return code, child.output(), imported.read_text(encoding="utf-8").split()


def test_what_is_not_of_the_extra_is_known() -> None:
    refused = modules_of_others(distributions_of_extra("client"))
    assert {"pytest", "trustme", "onnxruntime", "faster_whisper", "piper"} <= set(refused)
    assert not {"grpc", "numpy", "soxr", "sounddevice", "google", "pydantic_core"} & set(refused)


async def test_the_extra_alone_talks_over_tls_with_a_token(tmp_path: Path) -> None:
    question, reply = tmp_path / "question.wav", tmp_path / "reply.wav"
    question.write_bytes(write_wav(Recording(_TONE, 8000)))
    async with _remote(tmp_path) as remote:
        code, output, imported = await _alone(
            tmp_path,
            *("--ca", remote.ca, "--token-file", remote.token_file),
            *("talk", "--wav", question, "--out", reply, "--address", remote.address),
        )
    assert code == 0, output
    assert "assistant: I am an assistant." in output
    assert read_wav(reply.read_bytes(), "reply").samples.size
    for unneeded in ("httpx", "opentelemetry", "prometheus_client", "textual", "livekit", "pymicro_wakeword"):
        assert unneeded not in imported


async def test_without_the_token_or_the_certificate_it_says_what_is_missing(tmp_path: Path) -> None:
    question = tmp_path / "question.wav"
    question.write_bytes(write_wav(Recording(_TONE, 8000)))
    talk = ("talk", "--wav", question, "--out", tmp_path / "reply.wav", "--address")
    async with _remote(tmp_path) as remote:
        code, output, _ = await _alone(tmp_path, "--ca", remote.ca, *talk, remote.address)
        assert (code, "wants a token" in output) == (1, True), output
        code, output, _ = await _alone(tmp_path, *talk, remote.address)
        assert (code, f"does not answer at {remote.address}" in output) == (1, True), output
    assert remote.assistant.configs == []


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["models", "--help"]])
async def test_help_loads_no_numbers_no_network_and_no_settings(tmp_path: Path, arguments: list[str]) -> None:
    code, output, imported = await _alone(tmp_path, *arguments)
    assert code == 0, output
    heavy = {"grpc", "pydantic_settings", "sounddevice", "asyncio"} if arguments[0] != "models" else {"sounddevice"}
    assert not heavy & set(imported)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_listed_as_its_own_help_begins(name: str) -> None:
    first, *_ = COMMANDS[name].load(name).help.split("\n\n")
    assert " ".join(first.split()) == COMMANDS[name].summary


def test_nothing_is_a_command_that_is_not_listed() -> None:
    assert not app.registered_commands
    assert not app.registered_groups
