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
    audio.rewind()
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
    audio.rewind()
    await given(audio, 3)
    audio.rewind()
    assert await given(audio) == [2, 3, 4]


async def test_of_what_was_given_9_s_are_kept() -> None:
    audio = recent(12)
    await given(audio, 11)
    audio.rewind()
    assert await given(audio) == list(range(2, 12))


async def test_what_waits_is_given_but_for_what_is_older_than_12_s() -> None:
    assert await given(recent(12)) == list(range(12))
    assert await given(recent(14)) == list(range(2, 14))


async def test_what_was_given_takes_no_place_of_what_waits() -> None:
    audio = recent(9)
    await given(audio, 9)
    for number in range(9, 21):
        audio.add(second(number), float(number))
    assert await given(audio) == list(range(9, 21))


@pytest.mark.parametrize(("seconds", "began_ms", "is_whole"), [(9, 0, True), (10, 999, False), (10, 1000, True)])
async def test_an_utterance_is_whole_while_its_beginning_is_kept(seconds: int, began_ms: float, is_whole: bool) -> None:
    audio = recent(seconds)
    await given(audio, seconds)
    audio.rewind(began_ms)
    assert audio.is_whole is is_whole


async def test_an_utterance_whose_beginning_two_streams_had_is_not_whole() -> None:
    audio = recent(3)
    await given(audio, 3)
    audio.rewind(0)
    await given(audio, 1)
    audio.rewind()
    assert not audio.is_whole


async def test_the_next_utterance_is_whole_again() -> None:
    audio = recent(12)
    await given(audio, 11)
    audio.rewind(0)
    await given(audio, 9)
    audio.forget(until_ms=9000)
    audio.rewind()
    await given(audio, 1)
    audio.rewind(0)
    assert audio.is_whole


async def test_an_utterance_whose_beginning_made_room_for_what_came_later_is_not_whole() -> None:
    audio = recent(9)
    await given(audio, 9)
    audio.rewind(0)
    was_whole = []
    for number in range(9, 13):
        audio.add(second(number), float(number))
        was_whole.append(audio.is_whole)
    audio.rewind()  # by a stream that had none of it
    assert [*was_whole, audio.is_whole] == [True, True, True, False, False]


async def test_it_is_known_whether_something_is_given_again() -> None:
    audio = recent(3)
    await given(audio, 1)
    known = [audio.is_repeating]
    audio.rewind()
    known.append(audio.is_repeating)  # it waits
    await given(audio, 2)
    known.append(audio.is_repeating)  # it was given
    audio.forget(until_ms=1000)
    assert [*known, audio.is_repeating] == [False, True, True, False]


async def let_go_of_what_is_over(audio: RecentAudio) -> None:
    await given(audio, 12)
    audio.rewind()
    await given(audio, 9)
    audio.forget(until_ms=9000)


async def let_go_of_what_waits(audio: RecentAudio) -> None:
    audio.keep_last(0.0)


async def let_go_of_what_two_had(audio: RecentAudio) -> None:
    await given(audio, 12)
    audio.rewind()
    await given(audio, 9)
    audio.rewind()


@pytest.mark.parametrize("let_go", [let_go_of_what_is_over, let_go_of_what_waits, let_go_of_what_two_had])
async def test_what_is_let_go_makes_room(let_go: Callable[[RecentAudio], Awaitable[None]]) -> None:
    audio = recent(12)
    await let_go(audio)
    for number in range(12, 24):
        audio.add(second(number), float(number))
    assert await given(audio) == list(range(12, 24))


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
        ([loud(180, 5000), loud(20, 0)] * 5, False),  # knocks
        ([loud(500, 0), loud(200, 5000), loud(500, 0)], True),
        ([loud(20, 5000)] * 10, True),
        ([loud(7, 5000)] * 40, True),  # messages need not be whole frames
    ],
)
def test_what_is_loud_for_long_enough_without_a_break_may_be_speech(pieces: list[Piece], may_be: bool) -> None:
    assert RecentAudio(RATE_HZ).may_be_speech(pieces) is may_be
