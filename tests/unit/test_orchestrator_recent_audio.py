"""What of a microphone's audio is kept, and what is given again."""

import asyncio
from collections.abc import Awaitable, Callable

import numpy as np
import pytest

from services.common.audio import encode_pcm
from services.orchestrator.recent_audio import Piece, RecentAudio

RATE_HZ = 8_000
SECOND = 2 * RATE_HZ


def second(number: int) -> bytes:
    """A second of audio that can be told from the others."""
    return encode_pcm(np.full(RATE_HZ, number, np.int16))


def recent(seconds: int) -> RecentAudio:
    """The last seconds, none of them given."""
    audio = RecentAudio(RATE_HZ)
    for number in range(seconds):
        audio.add(second(number), float(number))
    return audio


async def given(audio: RecentAudio, pieces: int | None = None) -> list[float]:
    """When the next pieces came; of all pieces where no number is given."""
    if pieces is None:
        audio.end()
    moments: list[float] = []
    while len(moments) != pieces and (piece := await audio.give()) is not None:
        moments.append(piece.came_at)
    return moments


async def test_each_piece_is_given_once_and_in_order() -> None:
    assert await given(recent(3)) == [0, 1, 2]


async def test_the_next_stream_gets_what_the_last_one_had_and_then_the_rest() -> None:
    audio = recent(4)
    await given(audio, 3)
    assert audio.rewind()
    assert await given(audio) == [0, 1, 2, 3]


async def test_what_is_over_is_not_given_again() -> None:
    audio = recent(4)
    await given(audio, 3)
    audio.forget(until_ms=2500)  # in the middle of the third
    audio.rewind()
    assert await given(audio) == [2, 3]


async def test_positions_are_of_the_stream_that_has_them() -> None:
    audio = recent(6)
    await given(audio, 3)
    audio.forget(until_ms=1000)
    audio.rewind()
    assert await given(audio, 4) == [1, 2, 3, 4]
    audio.forget(until_ms=3000)
    audio.rewind()
    assert await given(audio) == [4, 5]


async def test_only_the_last_seconds_of_what_was_given_can_be_kept() -> None:
    audio = recent(6)
    await given(audio, 5)
    audio.forget_all_but(2.0)
    audio.rewind()
    assert await given(audio) == [3, 4, 5]


async def test_what_two_streams_had_is_not_given_to_a_third() -> None:
    audio = recent(5)
    await given(audio, 2)
    assert audio.rewind()
    await given(audio, 3)
    assert not audio.rewind()
    assert await given(audio) == [2, 3, 4]


async def test_of_more_than_9_s_the_oldest_are_let_go_first_those_that_were_given() -> None:
    assert await given(recent(12)) == list(range(3, 12))
    audio = recent(4)
    await given(audio, 3)
    for number in range(4, 12):
        audio.add(second(number), float(number))
    audio.rewind()
    assert await given(audio) == list(range(3, 12))


async def let_go_of_what_is_over(audio: RecentAudio) -> None:
    await given(audio, 9)
    audio.forget(until_ms=9000)


async def let_go_of_what_waits(audio: RecentAudio) -> None:
    audio.keep_last(0.0)


async def let_go_of_what_two_had(audio: RecentAudio) -> None:
    for _ in range(2):
        await given(audio, 9)
        audio.rewind()


@pytest.mark.parametrize("let_go", [let_go_of_what_is_over, let_go_of_what_waits, let_go_of_what_two_had])
async def test_what_is_let_go_makes_room(let_go: Callable[[RecentAudio], Awaitable[None]]) -> None:
    audio = recent(9)
    await let_go(audio)
    for number in range(10, 19):
        audio.add(second(number), float(number))
    assert await given(audio) == list(range(10, 19))


async def test_of_what_waits_the_last_seconds_can_be_kept() -> None:
    audio = recent(5)
    assert [piece.came_at for piece in audio.keep_last(2.0)] == [0, 1, 2]
    assert [piece.came_at for piece in audio.keep_last(2.0)] == []
    assert await given(audio) == [3, 4]


async def test_whoever_waits_gets_what_comes_and_loses_nothing_when_he_is_cancelled() -> None:
    audio = RecentAudio(RATE_HZ)
    first, second_one = (asyncio.create_task(audio.give()) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait([first])
    audio.add(b"\1\0", 1.0)
    assert await second_one == Piece(b"\1\0", 1.0)
    third = asyncio.create_task(audio.give())
    await asyncio.sleep(0)
    assert not third.done()
    audio.end()
    assert await third is None


async def test_after_the_end_nothing_is_taken_and_nothing_waited_for() -> None:
    audio = recent(1)
    audio.end()
    audio.add(second(1), 1.0)
    assert [audio.is_over, await audio.has_more()] == [False, True]
    assert await given(audio) == [0]
    assert [audio.is_over, await audio.has_more()] == [True, False]


async def test_empty_messages_take_no_place() -> None:
    audio = recent(1)
    audio.add(b"", 1.0)
    assert await given(audio) == [0]


def loud(milliseconds: int, amplitude: int) -> Piece:
    return Piece(encode_pcm(np.tile([amplitude, -amplitude], milliseconds * RATE_HZ // 2000).astype(np.int16)), 0.0)


@pytest.mark.parametrize(
    ("pieces", "may_be"),
    [
        ([], False),
        ([loud(1000, 0)], False),
        ([loud(1000, 180)], False),  # -45.2 dB
        ([loud(1000, 190)], True),
        ([loud(180, 5000)], False),
        ([loud(200, 5000)], True),
        ([loud(100, 5000), loud(500, 0), loud(100, 5000)], True),
        ([loud(20, 5000)] * 10, True),
        ([loud(7, 5000)] * 40, True),  # messages need not be whole frames
    ],
)
def test_what_is_loud_for_long_enough_may_be_speech(pieces: list[Piece], may_be: bool) -> None:
    assert RecentAudio(RATE_HZ).may_be_speech(pieces) is may_be
