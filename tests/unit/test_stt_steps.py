"""Steps that came at once, with less work."""

import numpy as np

from services.stt.endpointing import Cause, Ended, Paused, Resumed, Started
from services.stt.segmenter import Speech, Step
from services.stt.steps import coalesced


def speech(value: int, begin_ms: float) -> Speech:
    return Speech(np.full(512, value, np.int16), begin_ms)


def test_speech_is_joined() -> None:
    [joined] = coalesced([speech(1, 0), speech(2, 32)])
    assert isinstance(joined, Speech)
    assert joined.begin_ms == 0
    assert joined.samples.tolist() == [1] * 512 + [2] * 512


def test_a_pause_that_is_over_is_left_out() -> None:
    steps: list[Step] = [Started(0), speech(1, 0), Paused(32), speech(2, 32), Resumed(64), speech(3, 64)]
    started, joined = coalesced(steps)
    assert started == Started(0)
    assert isinstance(joined, Speech)
    assert joined.samples.size == 3 * 512


def test_the_pause_before_an_end_stays() -> None:
    steps: list[Step] = [Resumed(0), Paused(32), Ended(32, 600, Cause.SILENCE)]
    assert coalesced(steps) == steps
