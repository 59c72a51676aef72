"""Audio as a file."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from client.errors import CommandError
from client.reply_file import audio_file
from services.common.audio import read_wav
from tests.support.shared_data import REPOSITORY

AUDIO = b"\1\0" * 800


def write(path: Path, *pieces: bytes, fail: bool = False, keep_unfinished: bool = False) -> None:
    with audio_file(path, keep_unfinished=keep_unfinished) as file:
        assert file is not None
        file.open(8000)
        for piece in pieces:
            file.write(piece)
        if fail:
            raise KeyboardInterrupt


def test_it_appears_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    with audio_file(path) as file:
        assert file is not None
        file.open(8000)
        file.write(AUDIO)
        file.write(AUDIO)
        assert not path.exists()
    assert file.duration_s == pytest.approx(0.2)
    recording = read_wav(path.read_bytes(), "a")
    assert (recording.sample_rate_hz, recording.samples.tobytes()) == (8000, AUDIO * 2)
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]


def test_where_nothing_is_written_the_older_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(b"old")
    write(path)
    assert path.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]


def test_a_pipe_or_a_device_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with pytest.raises(CommandError, match="is a device or a pipe"):
        write(path, AUDIO)
    assert path.is_fifo()
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]


@pytest.mark.parametrize("keep_unfinished", [True, False])
def test_a_body_that_fails(tmp_path: Path, keep_unfinished: bool) -> None:
    path = tmp_path / "a.wav"
    with pytest.raises(KeyboardInterrupt):
        write(path, AUDIO, fail=True, keep_unfinished=keep_unfinished)
    assert [path.name for path in tmp_path.iterdir()] == (["a.wav"] if keep_unfinished else [])
    if keep_unfinished:
        assert read_wav(path.read_bytes(), "a").samples.tobytes() == AUDIO


def test_bytes_of_another_kind_of_file_are_written_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    with audio_file(path, as_it_is=True) as file:
        assert file is not None
        file.open(8000)
        file.write(b"fLaC")
        file.write(b"...")
    assert path.read_bytes() == b"fLaC..."


def test_what_is_discarded_leaves_no_file(tmp_path: Path) -> None:
    with audio_file(tmp_path / "a.wav", keep_unfinished=True) as file:
        assert file is not None
        file.open(8000)
        file.write(AUDIO)
        file.discard()
    assert list(tmp_path.iterdir()) == []


def test_a_wav_file_that_is_full_keeps_what_it_holds(tmp_path: Path) -> None:
    with audio_file(tmp_path / "a.wav") as file:
        assert file is not None
        file.open(8000)
        file.write(AUDIO)
        file.size_bytes = 2**32 - 2**16  # as if it had come so far
        with pytest.raises(CommandError, match=r"a\.wav is full: a WAV file holds 4 GiB"):
            file.write(AUDIO)
    assert read_wav((tmp_path / "a.wav").read_bytes(), "a").samples.tobytes() == AUDIO


def test_two_at_a_time_do_not_write_into_each_other(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    with audio_file(path) as one:
        write(path, bytes(800))
        assert one is not None
        one.open(8000)
        with audio_file(path) as other:
            assert other is not None
            other.open(16_000)
            other.write(bytes(160))
            one.write(AUDIO)
        assert read_wav(path.read_bytes(), "other").samples.tobytes() == bytes(160)
    assert read_wav(path.read_bytes(), "one").samples.tobytes() == AUDIO
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]


def write_with_room_for(limit_bytes: int, path: Path, seconds: int) -> str:
    """In a process of its own, whose files may be no longer: the limit would hold for the tests' output as well."""
    code = (
        "import resource, sys; from pathlib import Path; from tests.unit.test_client_reply_file import AUDIO, write; "
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({limit_bytes}, {limit_bytes})); "
        f"write(Path(sys.argv[1]), *[AUDIO] * {10 * seconds}, keep_unfinished=True)"
    )
    ended = subprocess.run(
        [sys.executable, "-B", "-c", code, str(path)], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    return ended.stderr.splitlines()[-1]


def test_a_full_disk_is_one_sentence(tmp_path: Path) -> None:
    told = write_with_room_for(10, tmp_path / "a.wav", 1)  # not even for the header
    assert told.endswith("a.wav cannot be written: File too large")
    assert list(tmp_path.iterdir()) == []


def test_what_a_disk_took_before_it_was_full_is_a_whole_file(tmp_path: Path) -> None:
    told = write_with_room_for(100_001, tmp_path / "a.wav", 10)
    assert told.endswith("a.wav cannot be written: File too large")
    whole = (100_001 - 44) // len(AUDIO)
    assert (tmp_path / "a.wav").stat().st_size == 44 + whole * len(AUDIO)
    assert read_wav((tmp_path / "a.wav").read_bytes(), "a").samples.tobytes() == AUDIO * whole
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]


def test_a_name_that_is_a_folder_is_found_out_before_anything_is_written(tmp_path: Path) -> None:
    (tmp_path / "a.wav").mkdir()
    with audio_file(tmp_path / "a.wav") as file:
        assert file is not None
        with pytest.raises(CommandError, match=r"a\.wav cannot be written: Is a directory"):
            file.open(8000)
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]


def test_a_name_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"a\.wav cannot be written: No such file or directory"):
        write(tmp_path / "nowhere" / "a.wav", AUDIO)


def test_no_name_no_file() -> None:
    with audio_file(None) as file:
        assert file is None


def test_a_format_that_never_came(tmp_path: Path) -> None:
    with audio_file(tmp_path / "a.wav"):
        pass
    assert list(tmp_path.iterdir()) == []
