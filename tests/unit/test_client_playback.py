"""What is played, and what of it was heard."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from client.events import Played, ReplyAudio
from client.playback import NoLoudspeaker, PlaybackBuffer


def audio(first: int, count: int) -> bytes:
    return np.arange(first, first + count, dtype=np.int16).tobytes()


def samples(pulled: bytes) -> list[int]:
    return [int(sample) for sample in np.frombuffer(pulled, np.int16)]


def test_silence_where_there_is_nothing() -> None:
    buffer = PlaybackBuffer()
    assert buffer.pull(3) == bytes(6)
    assert buffer.played(0) is None
    assert buffer.is_silent(0)


def test_what_comes_late_is_played_after_the_silence() -> None:
    buffer = PlaybackBuffer()
    buffer.put("t1", 0, audio(1, 3))
    assert samples(buffer.pull(2)) == [1, 2]
    assert samples(buffer.pull(4)) == [3, 0, 0, 0]
    buffer.put("t1", 3, audio(4, 2))
    assert samples(buffer.pull(2)) == [4, 5]
    assert buffer.played(0) == Played("t1", 5)


def test_what_the_sound_card_holds_back_was_not_heard() -> None:
    buffer = PlaybackBuffer()
    buffer.put("t1", 0, audio(1, 100))
    buffer.pull(60)
    assert buffer.played(delay_frames=20) == Played("t1", 40)
    assert not buffer.is_silent(20)
    buffer.pull(60)  # forty of the reply, twenty of silence
    assert buffer.played(delay_frames=20) == Played("t1", 100)
    assert buffer.is_silent(20)


def test_silence_before_a_reply_does_not_count() -> None:
    buffer = PlaybackBuffer()
    buffer.pull(1000)
    buffer.put("t1", 0, audio(1, 10))
    buffer.pull(10)
    assert buffer.played(delay_frames=4) == Played("t1", 6)


def test_flushed_audio_is_never_heard() -> None:
    buffer = PlaybackBuffer()
    buffer.put("t1", 0, audio(1, 100))
    buffer.pull(10)
    buffer.flush()
    assert buffer.waiting_samples == 0
    assert buffer.pull(50) == bytes(100)
    assert buffer.played(0) == Played("t1", 10)
    assert buffer.is_silent(0)


def test_the_next_turn_counts_anew() -> None:
    buffer = PlaybackBuffer()
    buffer.put("t1", 0, audio(1, 10))
    buffer.put("t2", 0, audio(1, 10))
    buffer.pull(15)
    assert buffer.played(delay_frames=8) == Played("t1", 7)
    assert buffer.played(delay_frames=0) == Played("t2", 5)


@given(st.lists(st.integers(1, 50), max_size=20), st.lists(st.integers(1, 50), min_size=1, max_size=60))
def test_all_audio_is_played_once_and_in_order(pieces: list[int], pulls: list[int]) -> None:
    buffer = PlaybackBuffer()
    total = 0
    for count in pieces:
        buffer.put("t1", total, audio(total + 1, count))
        total += count
    heard = [sample for frames in pulls for sample in samples(buffer.pull(frames))]
    assert len(heard) == sum(pulls)
    played = min(total, sum(pulls))
    assert heard[:played] == list(range(1, played + 1))
    assert not any(heard[played:])
    assert buffer.waiting_samples == total - played
    assert buffer.played(0) == (Played("t1", played) if played else None)


async def test_without_a_loudspeaker_all_counts_as_played() -> None:
    player = NoLoudspeaker()
    player.open(16_000)
    assert player.played() is None
    await player.play("t1", ReplyAudio(audio(1, 10), 1, 30))
    assert player.played() == Played("t1", 40)
    assert not player.is_playing()
    await player.drained()
