"""What is played of a conversation, and what of it was heard."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.audio.playback import NoLoudspeaker
from client.audio.speaker import Speaker
from client.events import Played, ReplyAudio
from tests.fakes.loudspeaker import FakeLoudspeaker

RATE_HZ = 400
RAMP = 4  # samples in 10 ms
LOUD = np.full(100, 1000, np.int16).tobytes()


def audio(first: int, count: int) -> bytes:
    return np.arange(first, first + count, dtype=np.int16).tobytes()


def samples(heard: bytes) -> list[int]:
    return [int(sample) for sample in np.frombuffer(heard, np.int16)]


async def playing(*, turn_id: str = "t1", played: int = 10, latency_frames: int = 0) -> FakeLoudspeaker:
    """A loudspeaker with 100 loud samples, some of which were played."""
    loudspeaker = FakeLoudspeaker(RATE_HZ, latency_frames)
    loudspeaker.open(RATE_HZ)
    await loudspeaker.play(turn_id, ReplyAudio(LOUD, 0, 0))
    loudspeaker.let_play(played)
    return loudspeaker


async def test_nothing_is_played_at_first() -> None:
    loudspeaker = FakeLoudspeaker(RATE_HZ)
    assert loudspeaker.let_play(3) == bytes(6)
    assert loudspeaker.played() is None
    assert not loudspeaker.is_playing()
    await loudspeaker.drained()


async def test_what_the_sound_card_holds_back_was_not_heard() -> None:
    loudspeaker = await playing(played=60, latency_frames=20)
    assert loudspeaker.played() == Played("t1", 40)
    assert loudspeaker.is_playing()
    loudspeaker.let_play(60)  # forty of the reply, twenty of silence
    assert loudspeaker.played() == Played("t1", 100)
    assert not loudspeaker.is_playing()


async def test_what_was_heard_stays_so_though_the_sound_card_holds_back_more() -> None:
    loudspeaker = await playing(played=60)
    assert loudspeaker.played() == Played("t1", 60)
    loudspeaker.latency_frames = 20
    assert loudspeaker.played() == Played("t1", 60)


async def test_silence_before_a_reply_does_not_count() -> None:
    loudspeaker = FakeLoudspeaker(RATE_HZ, latency_frames=4)
    loudspeaker.let_play(1000)
    await loudspeaker.play("t1", ReplyAudio(LOUD, 0, 0))
    loudspeaker.let_play(10)
    assert loudspeaker.played() == Played("t1", 6)


async def test_flushed_audio_is_never_heard() -> None:
    loudspeaker = await playing()
    loudspeaker.flush()
    assert samples(loudspeaker.let_play(50)) == [750, 500, 250, *[0] * 47]
    assert loudspeaker.played() == Played("t1", 10 + RAMP)
    assert not loudspeaker.is_playing()
    await loudspeaker.drained()
    await loudspeaker.play("t2", ReplyAudio(audio(1, 30), 0, 0))
    assert samples(loudspeaker.let_play(2)) == [1, 2]
    assert loudspeaker.played() == Played("t2", 2)


@pytest.mark.parametrize("hushed", [Speaker.pause, Speaker.flush])
async def test_what_did_not_begin_to_sound_does_not_begin_to(hushed: Callable[[Speaker], None]) -> None:
    loudspeaker = await playing(played=0)
    hushed(loudspeaker)
    await loudspeaker.play("t1", ReplyAudio(audio(1, 30), 0, 100))
    expected = [0, 0] if hushed is Speaker.pause else [1, 2]
    assert samples(loudspeaker.let_play(2)) == expected


async def test_a_pause_keeps_what_was_not_played() -> None:
    loudspeaker = await playing()
    loudspeaker.pause()
    loudspeaker.let_play(50)
    assert loudspeaker.played() == Played("t1", 10 + RAMP)
    assert loudspeaker.waiting_samples == 90 - RAMP
    assert not loudspeaker.is_playing()
    loudspeaker.go_on()
    assert loudspeaker.is_playing()
    assert samples(loudspeaker.let_play(100)) == [250, 500, 750, *[1000] * (87 - RAMP), *[0] * (10 + RAMP)]
    assert loudspeaker.played() == Played("t1", 100)


async def test_a_pause_is_silent_only_once_the_sound_card_is() -> None:
    loudspeaker = await playing(latency_frames=10)
    loudspeaker.pause()
    loudspeaker.let_play(10)
    assert loudspeaker.is_playing()
    loudspeaker.let_play(10)
    assert not loudspeaker.is_playing()


async def test_a_ducked_reply_is_soft_and_counts() -> None:
    loudspeaker = await playing()
    loudspeaker.duck()
    assert samples(loudspeaker.let_play(RAMP + 2)) == [750, 500, 250, 177, 177, 177]
    assert loudspeaker.played() == Played("t1", 12 + RAMP)
    assert loudspeaker.is_playing()


async def test_what_comes_again_is_played_once() -> None:
    loudspeaker = await playing(played=4)
    await loudspeaker.play("t1", ReplyAudio(LOUD, 0, 0))
    await loudspeaker.play("t1", ReplyAudio(LOUD, 0, 50))
    assert loudspeaker.waiting_samples == 146
    loudspeaker.let_play(200)
    assert loudspeaker.played() == Played("t1", 150)
    await loudspeaker.play("t1", ReplyAudio(LOUD, 0, 50))
    assert loudspeaker.waiting_samples == 0


async def test_what_comes_again_and_no_device_took_makes_room() -> None:
    loudspeaker = Speaker()
    loudspeaker.open(RATE_HZ)
    await loudspeaker.play("t1", ReplyAudio(LOUD, 0, 0))
    await loudspeaker.play("t1", ReplyAudio(audio(1, 30), 1, 50))  # the same samples, spoken anew
    assert loudspeaker.waiting_samples == 80
    out = np.empty(80, np.int16)
    loudspeaker.attach(RATE_HZ, lambda: 0.0)(out)
    assert out.tolist() == [*[1000] * 50, *range(1, 31)]


async def test_the_next_turn_counts_anew() -> None:
    loudspeaker = await playing(played=0, latency_frames=8)
    await loudspeaker.play("t2", ReplyAudio(LOUD, 0, 0))
    loudspeaker.let_play(105)
    assert loudspeaker.played() == Played("t1", 97)
    loudspeaker.let_play(8)
    assert loudspeaker.played() == Played("t2", 5)


@given(st.lists(st.integers(1, 50), max_size=20), st.lists(st.integers(1, 50), min_size=1, max_size=60))
async def test_all_audio_is_played_once_and_in_order(pieces: list[int], frames: list[int]) -> None:
    loudspeaker, total = FakeLoudspeaker(RATE_HZ), 0
    for number, count in enumerate(pieces):
        await loudspeaker.play("t1", ReplyAudio(audio(total + 1, count), number, total))
        total += count
    for count in frames:
        loudspeaker.let_play(count)
    heard = np.frombuffer(loudspeaker.heard, np.int16)
    played = int(np.count_nonzero(heard))
    assert heard[heard != 0].tolist() == list(range(1, played + 1))
    assert loudspeaker.waiting_samples == total - played
    assert loudspeaker.played() == (Played("t1", played) if played else None)
    assert played == min(total, sum(frames)) or (total < 24 and sum(frames) <= 24 + total)  # 60 ms are waited for


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
