"""`superwhisper doctor` as a person runs it, on this very machine."""

import json
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.support.client_command import superwhisper
from tests.support.servers import free_port
from tests.support.stack import Stack, running_stack

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack() -> AsyncIterator[Stack]:
    async with running_stack() as running:
        yield running


@pytest.fixture
def alone() -> dict[str, str]:
    """Settings with ports that nobody has, so that what else runs on this machine is not asked."""
    environment = {"SUPERWHISPER_PROFILE": "embedded"}
    for service, name in (("orchestrator", "assistant"), ("stt", "stt"), ("llm", "llm"), ("tts", "tts")):
        port = free_port()
        environment |= _at(service, name, f"127.0.0.1:{port}")
        environment[f"SUPERWHISPER_{service.upper()}__SERVER__METRICS_PORT"] = str(free_port())
    return environment


def _at(service: str, name: str, address: str) -> dict[str, str]:
    port = address.rpartition(":")[2]
    return {
        f"SUPERWHISPER_{service.upper()}__SERVER__PORT": port,
        f"SUPERWHISPER_CLIENT__{name.upper()}__ADDRESS": address,
    }


async def examined(*arguments: str | Path, environment: dict[str, str], code: int = 0) -> dict[str, Any]:
    """What it tells programs, by the findings' names."""
    ended = await superwhisper("doctor", "--json", *arguments, environment=environment)
    assert (ended.code, ended.err) == (code, ""), ended.out
    told = json.loads(ended.out)
    told["by_name"] = {finding["name"]: finding for finding in told["findings"]}
    return dict(told)


async def test_a_machine_on_which_nothing_runs_yet(alone: dict[str, str]) -> None:
    told = await examined("--quick", environment=alone)
    assert told["profile"] == "embedded"
    assert told["problems"] == 0
    services = [finding for finding in told["findings"] if finding["subject"] == "services"]
    assert [finding["verdict"] for finding in services] == ["warning"]
    assert "docker compose up" in services[0]["mend"]
    assert {finding["subject"] for finding in told["findings"]} == {
        *("settings", "python", "packages", "gpu", "cuda", "containers", "models", "disk", "ports", "services", "tls"),
        *("sound", "clock", "terminal"),
    }
    assert all(finding["mend"] for finding in told["findings"] if finding["verdict"] in ("warning", "problem"))


async def test_a_machine_on_which_all_runs(alone: dict[str, str], stack: Stack) -> None:
    for child in (stack.stt, stack.llm, stack.tts):
        alone |= _at(child.name, child.name, child.address)
    alone |= _at("orchestrator", "assistant", stack.orchestrator.address)
    told = await examined("--only", "services", "--only", "ports", environment=alone)
    assert {finding["verdict"] for finding in told["findings"]} == {"ok"}
    assert "by smollm2-135m" in told["by_name"]["first reply"]["found"]


async def test_for_people(alone: dict[str, str]) -> None:
    ended = await superwhisper(
        "doctor", "--only", "python", "--only", "ports", environment={**alone, "LC_ALL": "C.UTF-8"}
    )
    assert ended.code == 0
    lines = ended.out.splitlines()
    assert [line for line in lines if line and not line.startswith(" ")] == ["Python", "Ports", "all is well"]
    assert "  ✓ ok       version" in ended.out


async def test_a_broken_model_is_a_problem(alone: dict[str, str], tmp_path: Path) -> None:
    ended = await superwhisper("models", "path", "smart-turn-v3.2", environment=alone)
    own = Path(ended.out.strip())
    shutil.copytree(own.parent, tmp_path / own.parent.name)
    with (tmp_path / own.parent.name / own.name).open("r+b") as file:
        file.write(b"broken")
    alone["SUPERWHISPER_MODELS_DIR"] = str(tmp_path)
    told = await examined("--only", "models", environment=alone, code=1)
    assert told["problems"] == 2
    assert "is broken: expected" in told["by_name"]["smart-turn-v3.2"]["found"]
    assert "not installed" in told["by_name"]["smollm2-135m-instruct"]["found"]


async def test_wrong_settings_do_not_end_the_examination(alone: dict[str, str]) -> None:
    wrong = {**alone, "SUPERWHISPER_CLIENT__MICROFONE": "x", "SUPERWHISPER_STT__BEAM": "5"}
    told = await examined("--only", "settings", "--only", "python", environment=wrong, code=1)
    assert "SUPERWHISPER_CLIENT__MICROFONE names no setting" in told["by_name"]["client"]["found"]
    assert "SUPERWHISPER_STT__BEAM names no setting" in told["by_name"]["stt"]["found"]
    assert told["by_name"]["version"]["verdict"] == "ok"


async def test_another_profile_than_the_one_that_is_set(alone: dict[str, str]) -> None:
    del alone["SUPERWHISPER_PROFILE"]
    told = await examined("--profile", "cpu", "--only", "models", "--quick", environment=alone, code=1)
    assert told["profile"] == "cpu"
    assert told["by_name"]["whisper-tiny"]["verdict"] in ("problem", "ok")  # whoever has them all has no problem


async def test_a_daemon_that_hangs_hangs_nothing_else(alone: dict[str, str], tmp_path: Path) -> None:
    docker = tmp_path / "docker"
    docker.write_text("#!/bin/sh\nexec sleep 1000\n")
    docker.chmod(0o755)
    alone["PATH"] = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    told = await examined("--only", "containers", "--only", "python", environment=alone, code=1)
    assert told["by_name"]["containers"]["found"] == "no answer within 6 s"
    assert told["by_name"]["version"]["verdict"] == "ok"


async def test_no_token_is_told(alone: dict[str, str], tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("0123456789abcdef-very-secret")
    alone["SUPERWHISPER_CLIENT__ASSISTANT__CREDENTIALS__TOKEN_FILE"] = str(token)
    alone["SUPERWHISPER_TTS__SERVER__SECURITY__TOKEN_FILE"] = str(token)
    ended = await superwhisper("doctor", "--quick", environment=alone)
    assert "very-secret" not in ended.out + ended.err
    assert f"chmod 600 {token}" in ended.out


async def test_help_shows_examples() -> None:
    ended = await superwhisper("doctor", "--help", environment={"COLUMNS": "120"})
    assert ended.code == 0
    assert "superwhisper doctor --only gpu" in ended.out
