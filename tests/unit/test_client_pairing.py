"""What was heard and what was played, side by side."""

import numpy as np

from client.audio.echo import FRAME_SAMPLES
from client.audio.pairing import Pairing
from client.audio.tap import RATE_HZ
from services.common.audio import Samples

NOTHING = np.empty(0, np.int16)


def counted(first: int, count: int) -> Samples:
    return np.arange(first, first + count, dtype=np.int16)


def test_pieces_of_any_size_leave_in_whole_frames() -> None:
    pairing = Pairing()
    assert [side.size for side in pairing.push(counted(0, 100), counted(0, 159))] == [0, 0]
    near, far = pairing.push(counted(100, 250), counted(159, 200))
    assert near.tolist() == far.tolist() == list(range(2 * FRAME_SAMPLES))


def test_silence_stands_for_what_was_not_played_yet() -> None:
    near, far = Pairing().push(counted(1, FRAME_SAMPLES), counted(1, 60))
    assert near.all()
    assert far[:60].tolist() == list(range(1, 61))
    assert not far[60:].any()


def test_after_a_hold_up_both_sides_lose_the_same() -> None:
    size = RATE_HZ + 3 * FRAME_SAMPLES
    near, far = Pairing().push(counted(0, size), counted(0, size))
    assert near.tolist() == far.tolist() == list(range(3 * FRAME_SAMPLES, size))


def test_what_is_played_does_not_pile_up_while_nothing_is_heard() -> None:
    pairing = Pairing()
    for second in range(3):
        pairing.push(NOTHING, np.full(RATE_HZ, second, np.int16))
    _, far = pairing.push(np.ones(FRAME_SAMPLES, np.int16), NOTHING)
    assert far.tolist() == [2] * FRAME_SAMPLES
