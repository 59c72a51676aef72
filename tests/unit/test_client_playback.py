"""What is played, and what of it was heard."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.audio.playback import NoLoudspeaker, PlaybackBuffer
from client.events import Played, ReplyAudio

RATE_HZ = 400
RAMP = 4  # samples in 10 ms
LOUD = np.full(100, 1000, np.int16).tobytes()


def audio(first: int, count: int) -> bytes:
    return np.arange(first, first + count, dtype=np.int16).tobytes()


def samples(pulled: bytes) -> list[int]:
    return [int(sample) for sample in np.frombuffer(pulled, np.int16)]


def test_silence_where_there_is_nothing() -> None:
    buffer = PlaybackBuffer(RATE_HZ)
    assert buffer.pull(3) == bytes(6)
    assert buffer.played(0) is None
    assert buffer.is_silent(0)


def test_what_comes_late_is_played_after_the_silence() -> None:
    buffer = PlaybackBuffer(RATE_HZ)
    buffer.put("t1", 0, audio(1, 3))
    assert samples(buffer.pull(2)) == [1, 2]
    assert samples(buffer.pull(4)) == [3, 0, 0, 0]
    buffer.put("t1", 3, audio(4, 2))
    assert samples(buffer.pull(2)) == [4, 5]
    assert buffer.played(0) == Played("t1", 5)


def test_what_the_sound_card_holds_back_was_not_heard() -> None:
    buffer = PlaybackBuffer(RATE_HZ)
    buffer.put("t1", 0, audio(1, 100))
    buffer.pull(60)
    assert buffer.played(delay_frames=20) == Played("t1", 40)
    assert not buffer.is_silent(20)
    buffer.pull(60)  # forty of the reply, twenty of silence
    assert buffer.played(delay_frames=20) == Played("t1", 100)
    assert buffer.is_silent(20)


def test_silence_before_a_reply_does_not_count() -> None:
    buffer = PlaybackBuffer(RATE_HZ)
    buffer.pull(1000)
    buffer.put("t1", 0, audio(1, 10))
    buffer.pull(10)
    assert buffer.played(delay_frames=4) == Played("t1", 6)


def test_flushed_audio_is_never_heard() -> None:
    buffer = PlaybackBuffer(RATE_HZ)
    buffer.put("t1", 0, audio(1, 100))
    buffer.pull(10)
    buffer.flush()
    assert buffer.pull(50)[2 * RAMP :] == bytes(2 * (50 - RAMP))
    assert buffer.played(0) == Played("t1", 10 + RAMP)
    assert buffer.is_empty(0)
    buffer.put("t2", 0, audio(1, 2))
    assert samples(buffer.pull(2)) == [1, 2]


@pytest.mark.parametrize("hushed", [PlaybackBuffer.pause, PlaybackBuffer.flush])
def test_what_sounds_fades_out(hushed: Callable[[PlaybackBuffer], None]) -> None:
    buffer = PlaybackBuffer(RATE_HZ)
    buffer.put("t1", 0, LOUD)
    buffer.pull(10)
    hushed(buffer)
    assert samples(buffer.pull(RAMP + 2)) == [750, 500, 250, 0, 0, 0]


@pytest.mark.parametrize("hushed", [PlaybackBuffer.pause, PlaybackBuffer.flush])
def test_what_did_not_begin_to_sound_does_not_begin_to(hushed: Callable[[PlaybackBuffer], None]) -> None:
    buffer = PlaybackBuffer(RATE_HZ)
    buffer.pull(10)
    buffer.put("t1", 0, LOUD)
    hushed(buffer)
    buffer.put("t1", 100, LOUD[:4])
    assert buffer.pull(2)[:2] == (b"\0\0" if hushed is PlaybackBuffer.pause else LOUD[:2])


def test_a_pause_keeps_what_was_not_played() -> None:
    buffer = PlaybackBuffer(RATE_HZ)
    buffer.put("t1", 0, LOUD)
    buffer.pull(10)
    buffer.pause()
    assert buffer.pull(50)[2 * RAMP :] == bytes(2 * (50 - RAMP))
    assert buffer.played(0) == Played("t1", 10 + RAMP)
    assert buffer.waiting_samples == 90 - RAMP
    assert buffer.is_silent(0)
    assert not buffer.is_empty(0)
    buffer.go_on()
    assert not buffer.is_silent(0)
    assert samples(buffer.pull(100)) == [250, 500, 750, *[1000] * (87 - RAMP), *[0] * (10 + RAMP)]
    assert buffer.played(0) == Played("t1", 100)


def test_what_comes_while_it_pauses_waits() -> None:
    buffer = PlaybackBuffer(RATE_HZ)
    buffer.put("t1", 0, LOUD)
    buffer.pull(99)
    buffer.pause()
    buffer.pull(10)  # there was not enough left to fade out
    buffer.put("t1", 100, LOUD)
    assert buffer.pull(10) == bytes(20)
    assert buffer.waiting_samples == 100


def test_a_pause_is_silent_only_once_the_sound_card_is() -> None:
    buffer = PlaybackBuffer(RATE_HZ)
    buffer.put("t1", 0, LOUD)
    buffer.pull(10)
    buffer.pause()
    buffer.pull(10)
    assert not buffer.is_silent(delay_frames=10)
    buffer.pull(10)
    assert buffer.is_silent(delay_frames=10)


def test_a_ducked_reply_is_soft_and_counts() -> None:
    buffer = PlaybackBuffer(RATE_HZ)
    buffer.put("t1", 0, LOUD)
    buffer.pull(10)
    buffer.duck()
    assert samples(buffer.pull(RAMP + 2)) == [794, 588, 383, 177, 177, 177]
    assert buffer.played(0) == Played("t1", 12 + RAMP)
    buffer.go_on()
    assert samples(buffer.pull(RAMP + 2)) == [383, 588, 794, 1000, 1000, 1000]


@given(st.lists(st.tuples(st.sampled_from(["pause", "duck", "go_on"]), st.integers(0, 9)), max_size=30))
def test_loudness_never_jumps(course: list[tuple[str, int]]) -> None:
    buffer = PlaybackBuffer(RATE_HZ)
    buffer.put("t1", 0, LOUD * 10)
    heard = samples(buffer.pull(1))
    for what, frames in course:
        getattr(buffer, what)()
        heard += samples(buffer.pull(frames))
    assert max(np.abs(np.diff(heard)), default=0) <= 1000 / RAMP + 1


def test_what_comes_again_is_played_once() -> None:
    buffer = PlaybackBuffer(RATE_HZ)
    buffer.put("t1", 0, audio(1, 10))
    buffer.pull(4)
    buffer.put("t1", 2, audio(103, 3))  # the same samples, spoken anew: two were played, the others make room
    buffer.put("t1", 5, audio(106, 3))
    assert buffer.waiting_samples == 4
    assert samples(buffer.pull(6)) == [105, 106, 107, 108, 0, 0]
    assert buffer.played(0) == Played("t1", 8)
    buffer.put("t1", 0, audio(1, 8))
    assert buffer.is_empty(0)


def test_the_next_turn_counts_anew() -> None:
    buffer = PlaybackBuffer(RATE_HZ)
    buffer.put("t1", 0, audio(1, 10))
    buffer.put("t2", 0, audio(1, 10))
    buffer.pull(15)
    assert buffer.played(delay_frames=8) == Played("t1", 7)
    assert buffer.played(delay_frames=0) == Played("t2", 5)


@given(st.lists(st.integers(1, 50), max_size=20), st.lists(st.integers(1, 50), min_size=1, max_size=60))
def test_all_audio_is_played_once_and_in_order(pieces: list[int], pulls: list[int]) -> None:
    buffer = PlaybackBuffer(RATE_HZ)
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
    await player.play("t1", ReplyAudio(audio(1, 10), 2, 0))
    player.pause()
    player.duck()
    player.go_on()
    player.flush()
    assert player.played() == Played("t1", 40)
    await player.play("t2", ReplyAudio(audio(1, 10), 0, 0))
    assert player.played() == Played("t2", 10)
    assert not player.is_playing()
    await player.drained()
