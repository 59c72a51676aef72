"""The assistant does not hear itself where nothing cancels its echo."""

import numpy as np

from client.audio.echo import FRAME_SAMPLES
from client.audio.half_duplex import HalfDuplex

SPEECH = np.full(FRAME_SAMPLES, 1000, np.int16)
SILENCE = np.zeros(FRAME_SAMPLES, np.int16)


def frames_until_heard(guard: HalfDuplex) -> int:
    """How long after the loudspeaker fell silent somebody is heard, in frames of 10 ms."""
    count = 0
    while not guard.clean(SPEECH, SILENCE).any():
        count += 1
    return count


def test_hears_while_nothing_is_played() -> None:
    assert HalfDuplex().clean(SPEECH, SILENCE).tolist() == SPEECH.tolist()


def test_deaf_while_something_is_played_however_long() -> None:
    guard = HalfDuplex()
    assert not any(guard.clean(SPEECH, SPEECH).any() for _ in range(500))


def test_deaf_a_moment_longer_for_the_room() -> None:
    guard = HalfDuplex()
    guard.clean(SPEECH, SPEECH)
    assert 24 <= frames_until_heard(guard) <= 25


def test_deaf_until_the_last_sound_came_back_through_slow_devices() -> None:
    guard = HalfDuplex(lambda: 0.3)
    guard.clean(SPEECH, SPEECH)
    assert 54 <= frames_until_heard(guard) <= 55


def test_the_hiss_of_a_silent_reply_deafens_nobody() -> None:
    guard = HalfDuplex()
    assert guard.clean(SPEECH, np.full(FRAME_SAMPLES, 5, np.int16)).any()
