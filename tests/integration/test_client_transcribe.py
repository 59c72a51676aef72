"""`superwhisper transcribe` as a real process with the real ears: every container, every format, several files."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from services.common.audio import read_wav
from tests.support.client_command import files_in, superwhisper
from tests.support.encoded import encoded
from tests.support.servers import Child, child_service
from tests.support.shared_data import REPOSITORY

pytestmark = pytest.mark.asyncio(loop_scope="module")

QUESTION = REPOSITORY / "client/assets/question-en.wav"
SPOKEN = "what is the best way to learn a new language"
CODED = {"flac": ("flac", "flac"), "ogg": ("ogg", "libopus"), "mp3": ("mp3", "libmp3lame"), "m4a": ("ipod", "aac")}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stt() -> AsyncIterator[Child]:
    async with child_service("stt") as child:
        yield child


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The question in every container, and a file that is no recording."""
    folder = tmp_path_factory.mktemp("recordings")
    question = read_wav(QUESTION.read_bytes(), "question")
    for ending, (muxer, codec) in CODED.items():
        wave = question.samples[None] / 2**15
        (folder / f"question.{ending}").write_bytes(encoded(wave, question.sample_rate_hz, muxer, codec))
    (folder / "letter.txt").write_text("Dear diary, today nobody spoke to me.\n" * 50, encoding="utf-8")
    (folder / "broken.flac").write_bytes(b"fLaC" + bytes(2000))
    return folder


@pytest.mark.parametrize("ending", CODED)
async def test_every_container_is_heard(stt: Child, recordings: Path, ending: str) -> None:
    ended = await superwhisper("transcribe", recordings / f"question.{ending}", "--address", stt.address)
    assert (ended.code, ended.err) == (0, "")
    # A coder that loses something may cost pocketsphinx a word, not the sentence.
    assert len(set(ended.out.split()) & set(SPOKEN.split())) >= 8


async def test_subtitles_with_the_times_of_words(stt: Child, tmp_path: Path) -> None:
    out = tmp_path / "new/question.srt"
    arguments = ("--words", "--out", out, "--address", stt.address)
    ended = await superwhisper("transcribe", QUESTION, *arguments)
    duration_s = read_wav(QUESTION.read_bytes(), "question").duration_ms / 1000
    assert (ended.code, ended.out, ended.err) == (0, f"{out} ({duration_s:.1f} s)\n", "")
    number, times, *lines = out.read_text(encoding="utf-8").splitlines()
    assert (number, " ".join(lines)) == ("1", SPOKEN)
    assert times.startswith("00:00:00,")
    assert " --> 00:00:0" in times
    ended = await superwhisper("transcribe", QUESTION, *arguments)
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == f"error: {out} is there already: give another --out, or --force to replace it\n"
    ended = await superwhisper("transcribe", QUESTION, *arguments, "--force", "--format", "vtt")
    assert ended.code == 0
    assert out.read_text(encoding="utf-8").startswith("WEBVTT\n\n00:00:00.")
    assert files_in(out.parent) == ["question.srt"]


async def test_json_with_words(stt: Child) -> None:
    ended = await superwhisper("transcribe", QUESTION, "--words", "--format", "json", "--address", stt.address)
    assert ended.code == 0
    [segment] = json.loads(ended.out)["segments"]
    assert [word["text"] for word in segment["words"]] == SPOKEN.split()
    assert all(0 <= word["start_ms"] < word["end_ms"] for word in segment["words"])


async def test_several_into_a_folder_and_one_that_cannot_be_read(stt: Child, recordings: Path, tmp_path: Path) -> None:
    files = [recordings / name for name in ("letter.txt", "question.flac", "broken.flac")]
    ended = await superwhisper("transcribe", QUESTION, *files, "--out", tmp_path / "texts", "--address", stt.address)
    assert ended.code == 1
    assert files_in(tmp_path / "texts") == ["question-en.txt", "question.txt"]
    assert (tmp_path / "texts/question.txt").read_text(encoding="utf-8") == f"{SPOKEN}\n"
    first, second, last = ended.err.splitlines()
    assert first.startswith(f"error: {files[0]}: {files[0]} is no recording of a known kind")
    assert second.startswith(f"error: {files[2]}: ")
    assert "cannot be decoded" in second
    assert last == "error: 2 of 4 recordings could not be transcribed"


async def test_hints_are_passed_on_and_refused_by_name_where_they_are_too_much(stt: Child) -> None:
    hints = ("--hot-word", "language", "--hot-word", "x" * 101, "--prompt", "A question.")
    ended = await superwhisper("transcribe", QUESTION, *hints, "--address", stt.address)
    assert ended.code == 1
    assert "recognition.hot_words: a word has more than 100 characters" in ended.err
    ended = await superwhisper("transcribe", QUESTION, "--prompt", "x" * 1001, "--address", stt.address)
    assert "recognition.initial_prompt: more than 1000 characters" in ended.err
    ended = await superwhisper("transcribe", QUESTION, *hints[:2], *hints[4:], "--address", stt.address)
    assert (ended.code, ended.out) == (0, f"{SPOKEN}\n")


async def test_a_translation_that_no_engine_can_do(stt: Child) -> None:
    ended = await superwhisper("transcribe", QUESTION, "--translate", "--address", stt.address)
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("error: the speech recognition (stt)")


async def test_two_formats_at_once() -> None:
    ended = await superwhisper("transcribe", QUESTION, "--json", "--format", "srt")
    assert (ended.code, ended.err) == (1, "error: --json and --format ask for two formats: give one of them\n")


async def test_a_terminal_shows_how_far_it_has_come(stt: Child, recordings: Path) -> None:
    ours, theirs = os.openpty()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "client", "transcribe", str(recordings / "question.flac"), "--address", stt.address),
        stdout=asyncio.subprocess.PIPE,
        stderr=theirs,
        cwd=REPOSITORY,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
    )
    os.close(theirs)
    out, _ = await process.communicate()
    shown = os.read(ours, 65_536).decode()
    os.close(ours)
    assert (process.returncode, out.decode()) == (0, f"{SPOKEN}\n")
    assert "question.flac: sending" in shown
