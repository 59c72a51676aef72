"""What `make run` does where there is no microphone, from its start to its end, on ports of its own."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from deploy.local import demonstration
from tests.support.servers import free_port
from tests.support.shared_data import REPOSITORY

QUESTION = "quelle est la meilleure façon d'apprendre une nouvelle langue"
SERVICES = {"orchestrator": "assistant", "stt": "stt", "llm": "llm", "tts": "tts"}
_BOUND_S = 120.0


def on_free_ports() -> dict[str, str]:
    """Settings for all five processes, and no sound."""
    variables = {"SUPERWHISPER_CLIENT__MICROPHONE": "none", "SUPERWHISPER_CLIENT__LOUDSPEAKER": "none"}
    for service, peer in SERVICES.items():
        port = free_port()
        variables[f"SUPERWHISPER_{service}__SERVER__PORT".upper()] = str(port)
        variables[f"SUPERWHISPER_{service}__SERVER__METRICS_PORT".upper()] = str(free_port())
        variables[f"SUPERWHISPER_CLIENT__{peer}__ADDRESS".upper()] = f"127.0.0.1:{port}"
        if service != "orchestrator":
            variables[f"SUPERWHISPER_ORCHESTRATOR__{service}__ADDRESS".upper()] = f"127.0.0.1:{port}"
    return variables


async def test_it_asks_in_french_is_heard_word_for_word_and_answers(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(REPOSITORY / "deploy" / "local" / "run.py")),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), **on_free_ports()},
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), _BOUND_S)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    said = output.decode()
    assert process.returncode == 0, said
    assert QUESTION in said
    assert (tmp_path / "reply.wav").stat().st_size > 44


@pytest.fixture
def _nobody_can_speak(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUPERWHISPER_CLIENT__MICROPHONE", "none")


@pytest.mark.usefixtures("_nobody_can_speak")
@pytest.mark.parametrize(
    ("arguments", "variables"),
    [
        (["--wav", "mine.wav"], {}),
        ([], {"SUPERWHISPER_CLIENT__LANGUAGE_CODE": "en"}),
        ([], {"SUPERWHISPER_PROFILE": "cpu"}),
    ],
    ids=["a recording", "a language", "other ears"],
)
def test_who_has_a_wish_gets_no_demonstration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], variables: dict[str, str]
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert demonstration.environment(arguments, tmp_path) == {}
    assert list(tmp_path.iterdir()) == []
