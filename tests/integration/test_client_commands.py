"""transcribe, ask and status as real processes, with the real services."""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from services.common.audio import Recording, encode_pcm, read_wav, write_wav
from services.common.lifecycle import Service
from tests.fakes.assistant import ScriptedAssistant
from tests.support.client_command import files_in, started, superwhisper
from tests.support.scripted import scripted_service
from tests.support.servers import Child, child_service, free_port, serving
from tests.support.shared_data import REPOSITORY

pytestmark = pytest.mark.asyncio(loop_scope="module")

QUESTION = REPOSITORY / "client/assets/question-en.wav"
SPOKEN = "what is the best way to learn a new language"
COMMANDS = ("talk", "transcribe", "ask", "say", "status", "models")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def tts() -> AsyncIterator[Child]:
    async with child_service("tts") as child:
        yield child


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stt() -> AsyncIterator[Child]:
    async with child_service("stt") as child:
        yield child


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def llm() -> AsyncIterator[Child]:
    async with child_service("llm", "--llm.engines", '["fixed-reply"]') as child:
        yield child


# --- transcribe


async def test_transcribe_writes_down_what_is_said(stt: Child) -> None:
    ended = await superwhisper("transcribe", QUESTION, "--address", stt.address)
    assert (ended.code, ended.out, ended.err) == (0, f"{SPOKEN}\n", "")


async def test_transcribe_for_programs(stt: Child) -> None:
    ended = await superwhisper("transcribe", QUESTION, "--language", "en", "--json", "--address", stt.address)
    assert ended.code == 0
    transcript = json.loads(ended.out)
    assert transcript["text"] == SPOKEN
    assert transcript["backend"] == "pocketsphinx"
    assert transcript["duration_ms"] == int(read_wav(QUESTION.read_bytes(), "question").duration_ms)
    assert [segment["text"] for segment in transcript["segments"]] == [SPOKEN]


async def test_transcribe_raw_audio(stt: Child, tmp_path: Path) -> None:
    raw = tmp_path / "question.raw"
    raw.write_bytes(encode_pcm(read_wav(QUESTION.read_bytes(), "question").samples))
    ended = await superwhisper("transcribe", raw, "--raw-rate", "16000", "--address", stt.address)
    assert (ended.code, ended.out) == (0, f"{SPOKEN}\n")
    ended = await superwhisper("transcribe", raw, "--address", stt.address)
    assert ended.code == 1
    assert ended.err == f"error: {raw} is no recording of a known kind; for raw PCM, give --raw-rate HZ\n"


async def test_transcribe_silence(stt: Child, tmp_path: Path) -> None:
    silence = tmp_path / "silence.wav"
    silence.write_bytes(write_wav(Recording(np.zeros(16_000, np.int16), 16_000)))
    ended = await superwhisper("transcribe", silence, "--address", stt.address)
    assert (ended.code, ended.out) == (0, "")
    assert ended.err == "no speech was understood in this recording\n"


@pytest.mark.parametrize("name", ["missing.wav", "."])
async def test_a_file_that_cannot_be_read(tmp_path: Path, name: str) -> None:
    ended = await superwhisper("transcribe", tmp_path / name)
    assert ended.code == 1
    assert ended.err == f"error: {tmp_path / name} cannot be read: it is not a file\n"


# --- ask


async def test_ask_gives_the_reply(llm: Child) -> None:
    ended = await superwhisper("ask", "Why is the sky blue?", "--language", "en", "--verbose", "--address", llm.address)
    assert ended.code == 0
    assert "Why is the sky blue" in ended.out  # the fixed reply repeats what was understood
    assert ended.out.endswith("\n")
    assert ended.err.startswith("fixed-reply: ")


async def test_ask_reads_stdin(llm: Child) -> None:
    ended = await superwhisper("ask", "-", "--address", llm.address, stdin="Where is the moon?\n")
    assert (ended.code, ended.err) == (0, "")
    assert "Where is the moon" in ended.out


async def test_nothing_to_ask() -> None:
    ended = await superwhisper("ask", " ")
    assert (ended.code, ended.err) == (1, "error: there is nothing to ask\n")


# --- status


@contextlib.asynccontextmanager
async def _four(tts: Child, stt: Child, llm: Child) -> AsyncIterator[dict[str, str]]:
    """The environment that names all four services."""
    async with serving(ScriptedAssistant([]).service()) as assistant:
        addresses = {"assistant": assistant, "stt": stt.address, "llm": llm.address, "tts": tts.address}
        yield {f"SUPERWHISPER_CLIENT__{name.upper()}__ADDRESS": address for name, address in addresses.items()}


async def test_status_when_all_serve(tts: Child, stt: Child, llm: Child) -> None:
    async with _four(tts, stt, llm) as environment:
        ended = await superwhisper("status", environment=environment)
        assert ended.code == 0
        assert [line.split()[0] for line in ended.out.splitlines()] == ["assistant", "stt", "llm", "tts"]
        assert all(line.endswith(" SERVING") for line in ended.out.splitlines())
        ended = await superwhisper("status", "--json", environment=environment)
        answer = json.loads(ended.out)
        assert answer["all_serving"] is True
        assert answer["services"][1] == {"name": "stt", "address": stt.address, "state": "SERVING"}


async def test_status_tells_what_is_wrong_with_each(tts: Child, stt: Child, llm: Child) -> None:
    async with _four(tts, stt, llm) as environment, serving(_loading(), until_serving=False) as loading:
        wrong = {
            "SUPERWHISPER_CLIENT__STT__ADDRESS": f"127.0.0.1:{free_port()}",
            "SUPERWHISPER_CLIENT__LLM__ADDRESS": tts.address,
            "SUPERWHISPER_CLIENT__TTS__ADDRESS": loading,
        }
        ended = await superwhisper("status", environment=environment | wrong)
    assert ended.code == 1
    states = [line.split(maxsplit=2)[2] for line in ended.out.splitlines()]
    assert states == ["SERVING", "no answer", "another service answers there", "NOT_SERVING"]


async def test_status_waits_until_all_serve(tts: Child, stt: Child, llm: Child) -> None:
    ready: list[bool] = []
    async with _four(tts, stt, llm) as environment, serving(_loading(ready), until_serving=False) as loading:
        environment["SUPERWHISPER_CLIENT__TTS__ADDRESS"] = loading
        waiting = asyncio.create_task(superwhisper("status", "--wait", "60", environment=environment))
        assert (await superwhisper("status", environment=environment)).code == 1
        ready.append(True)
        ended = await waiting
    assert ended.code == 0


async def test_status_does_not_wait_for_ever() -> None:
    environment = {"SUPERWHISPER_CLIENT__TTS__ADDRESS": f"127.0.0.1:{free_port()}"}
    ended = await superwhisper("status", "--wait", "0.5", environment=environment)
    assert ended.code == 1


def _loading(ready: list[bool] | None = None) -> Service:
    return scripted_service(ready=lambda: bool(ready))


# --- all of them


@pytest.mark.parametrize("command", [*COMMANDS, ""])
async def test_help_shows_examples(command: str) -> None:
    ended = await superwhisper(*filter(None, [command]), "--help", environment={"COLUMNS": "120"})
    assert ended.code == 0
    if command != "models":
        assert "Examples:" in ended.out
        assert f"superwhisper {command}" in ended.out


@pytest.mark.parametrize(
    ("command", "service"),
    [
        (("transcribe", QUESTION), "the speech recognition (stt)"),
        (("ask", "Hello"), "the language model (llm)"),
        (("say", "Hello", "--out", "never.wav"), "the speech synthesis (tts)"),
    ],
)
async def test_nobody_there_is_one_sentence(command: tuple[str | Path, ...], service: str, tmp_path: Path) -> None:
    address = f"127.0.0.1:{free_port()}"
    ended = await superwhisper(*command, "--address", address, folder=tmp_path)
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == f"error: {service} does not answer at {address}: is it running? start it with `make run`\n"
    assert files_in(tmp_path) == []


async def test_another_service_there_is_one_sentence(tts: Child) -> None:
    ended = await superwhisper("ask", "Hello", "--address", tts.address)
    assert ended.code == 1
    assert ended.err == f"error: what listens at {tts.address} is not the language model (llm): check the address\n"


@pytest.mark.parametrize(
    ("arguments", "environment", "complaint"),
    [
        (("--config", "missing.yaml", "status"), {}, "missing.yaml cannot be read"),
        (("status",), {"SUPERWHISPER_CLIENT__MICROFONE": "x"}, "SUPERWHISPER_CLIENT__MICROFONE names no setting"),
        (("status",), {"SUPERWHISPER_CLIENT__REPLY_WAIT_S": "soon"}, "client.reply_wait_s"),
    ],
)
async def test_wrong_settings_are_one_sentence(
    arguments: tuple[str, ...], environment: dict[str, str], complaint: str
) -> None:
    ended = await superwhisper(*arguments, environment=environment)
    assert ended.code == 1
    assert complaint in ended.err
    assert "Traceback" not in ended.err


async def test_a_file_of_settings(tts: Child, tmp_path: Path) -> None:
    config = tmp_path / "mine.yaml"
    config.write_text(f"client:\n  tts: {{address: '{tts.address}'}}\n  language_code: en\n", encoding="utf-8")
    ended = await superwhisper("--config", config, "say", "Hello.", "--out", tmp_path / "a.wav")
    assert (ended.code, ended.err) == (0, "")


async def test_a_reader_that_left_is_nothing_to_tell(llm: Child) -> None:
    nobody, out = os.pipe()
    os.close(nobody)
    async with started("ask", "Hello there", "--address", llm.address, out=out) as process:
        os.close(out)
        assert process.stderr is not None
        assert await process.stderr.read() == b""
        assert await process.wait() == 1


async def test_the_version() -> None:
    ended = await superwhisper("--version")
    assert ended.code == 0
    assert ended.out[0].isdigit()


@pytest.mark.skipif(os.name == "nt", reason="closing a stream is a shell's doing")
@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
async def test_a_closed_stream_is_nothing_to_tell(closed: str) -> None:
    command = f'exec "{sys.executable}" -m client status {closed}'
    nobody = {f"SUPERWHISPER_CLIENT__{name}__ADDRESS": "127.0.0.1:1" for name in ("ASSISTANT", "STT", "LLM", "TTS")}
    process = await asyncio.create_subprocess_shell(
        command, stderr=asyncio.subprocess.PIPE, cwd=REPOSITORY, env={**os.environ, **nobody}
    )
    _, error = await process.communicate()
    assert (process.returncode, error) == (1, b"")
