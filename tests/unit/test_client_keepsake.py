"""A conversation that is kept."""

import json
import wave
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from client.errors import CommandError
from client.events import Event, ReplyAudio, SessionOpened, Transcript
from client.keepsake import Keepsake, kept
from services.common.audio import Samples
from tests.fakes.clock import FakeClock
from tests.support.waiting import wait_until

MOMENT = datetime(2026, 11, 21, 21, 54, 2, tzinfo=UTC)
MESSAGE = 320
FULL_DISK = Path("/dev/full")


def level(value: int, count: int = MESSAGE) -> Samples:
    return np.full(count, value, np.int16)


def recorded(file: Path) -> Samples:
    """Both channels, a row a moment."""
    with wave.open(str(file)) as audio:
        assert (audio.getnchannels(), audio.getsampwidth(), audio.getframerate()) == (2, 2, 16_000)
        return np.frombuffer(audio.readframes(audio.getnframes()), "<i2").reshape(-1, 2)


def test_the_microphone_is_on_the_left_and_the_loudspeaker_on_the_right(tmp_path: Path) -> None:
    with kept(tmp_path / "talks", lambda: MOMENT) as keepsake:
        assert keepsake is not None
        for number in range(60):
            keepsake.take(level(number), level(-number))
    audio = recorded(tmp_path / "talks" / "2026-11-21_21-54-02" / "conversation.wav")
    assert audio[:, 0].tolist() == np.repeat(np.arange(60), MESSAGE).tolist()
    assert audio[:, 1].tolist() == np.repeat(-np.arange(60), MESSAGE).tolist()


def test_what_was_told_is_there_with_its_time_and_without_audio_and_secrets(tmp_path: Path) -> None:
    clock = FakeClock()
    keepsake = Keepsake(tmp_path / "talk", clock)
    keepsake.start()
    keepsake.show(Event("", SessionOpened("s", "secret", False, 16_000)))
    clock.advance(1.25)
    keepsake.show(Event("t1", Transcript("Où est-elle ?", is_final=True)))
    keepsake.show(Event("t1", ReplyAudio(b"\x01\x02" * 99, 0, 0)))
    keepsake.close()
    text = (tmp_path / "talk" / "conversation.jsonl").read_text("utf-8")
    lines = [json.loads(line) for line in text.splitlines()]
    assert [(line["at_ms"], line["event"]) for line in lines] == [
        (0, "session"),
        (1250, "transcript"),
        (1250, "reply_audio"),
    ]
    assert lines[1]["text"] == "Où est-elle ?"
    assert "secret" not in text
    assert "audio" not in lines[2]


async def test_readable_at_any_moment_for_nobody_knows_when_it_ends(tmp_path: Path) -> None:
    file = tmp_path / "talk" / "conversation.wav"
    keepsake = Keepsake(file.parent)
    keepsake.start()
    try:
        assert recorded(file).size == 0
        for _ in range(100):
            keepsake.take(level(7), level(8))
        await wait_until(lambda: len(recorded(file)) >= 75 * MESSAGE, "what was said until half a second ago")
        keepsake.show(Event("t1", Transcript("oui", is_final=True)))
        said = file.with_suffix(".jsonl")
        await wait_until(lambda: "oui" in said.read_text("utf-8"), "what was told")
    finally:
        keepsake.close()


def test_a_file_that_is_full_is_followed_by_another(tmp_path: Path) -> None:
    keepsake = Keepsake(tmp_path / "talk", max_frames=20_000)
    keepsake.start()
    for number in range(100):
        keepsake.take(level(number), level(0))
    keepsake.close()
    names = ["conversation.wav", "conversation-2.wav"]
    parts = [recorded(tmp_path / "talk" / name)[:, 0] for name in names]
    assert [part.size for part in parts] == [16_000, 16_000]
    assert np.concatenate(parts).tolist() == np.repeat(np.arange(100), MESSAGE).tolist()


def test_two_conversations_that_begin_at_once_are_both_kept(tmp_path: Path) -> None:
    with kept(tmp_path, lambda: MOMENT) as one, kept(tmp_path, lambda: MOMENT) as other:
        assert one is not None
        assert other is not None
        one.take(level(1), level(1))
    assert sorted(folder.name for folder in tmp_path.iterdir()) == ["2026-11-21_21-54-02", "2026-11-21_21-54-02-2"]


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CommandError, match=r"the conversation cannot be kept in .*file.*: Not a directory"):
        kept(tmp_path / "file", lambda: MOMENT).__enter__()


@pytest.mark.skipif(not FULL_DISK.exists(), reason="no /dev/full on this system")
async def test_a_disk_that_becomes_full_is_a_sentence_for_whoever_says_more(tmp_path: Path) -> None:
    keepsake = Keepsake(tmp_path / "new", max_frames=8_000)
    keepsake.start()
    (tmp_path / "new" / "conversation-2.wav").symlink_to(FULL_DISK)

    def is_refused() -> bool:
        try:
            keepsake.take(level(1), level(1))
        except CommandError as error:
            return "No space left on device" in str(error)
        return False

    try:
        await wait_until(is_refused, "the full disk to be told")
    finally:
        with pytest.raises(CommandError, match="No space left on device"):
            keepsake.close()
    assert len(recorded(tmp_path / "new" / "conversation.wav")) == 8_000


def test_nothing_is_kept_unasked(tmp_path: Path) -> None:
    with kept(None) as keepsake:
        assert keepsake is None
