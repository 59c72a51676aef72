"""tests/bench/room/alignment.py: what it finds of audio in a tape."""

import numpy as np
import pytest

from services.common.audio import Samples
from tests.bench.room.alignment import find

RATE_HZ = 16_000


def speech(seconds: float = 3.0, seed: int = 1) -> Samples:
    """Noise, as loud and soft in turn as speech."""
    random, count = np.random.default_rng(seed), int(seconds * RATE_HZ)
    loudness = 1500 * (1.1 + np.sin(2 * np.pi * 3 * np.arange(count) / RATE_HZ))
    return (random.standard_normal(count) * loudness).astype(np.int16)


def silence(seconds: float) -> Samples:
    return np.zeros(int(seconds * RATE_HZ), np.int16)


def taped(*parts: Samples) -> Samples:
    return np.concatenate(parts)


def test_what_was_played_whole_is_found() -> None:
    audio = speech()
    found = find(audio, taped(silence(1.3), audio, silence(1)), RATE_HZ)
    assert (found.blocks, found.missing, found.holes_s, found.pauses_s) == (30, 0, (), ())
    assert found.ends_at == round(4.3 * RATE_HZ)


@pytest.mark.parametrize("hole_s", [0.03, 0.25])
def test_a_hole_is_found(hole_s: float) -> None:
    audio, at = speech(), int(1.5 * RATE_HZ)
    found = find(audio, taped(silence(1), audio[:at], silence(hole_s), audio[at:]), RATE_HZ)
    assert found.longest_hole_ms == pytest.approx(hole_s * 1000, abs=1)


def test_what_was_left_out_is_found() -> None:
    audio = speech()
    left_out = taped(silence(1), audio[:RATE_HZ], audio[RATE_HZ + 800 :])
    assert find(audio, left_out, RATE_HZ).longest_hole_ms == pytest.approx(50, abs=1)


@pytest.mark.parametrize("hole_s", [0.015, 0.06])
def test_silence_in_the_place_of_sound_is_a_hole(hole_s: float) -> None:
    audio, at = speech(), int(1.52 * RATE_HZ)
    torn = audio.copy()
    torn[at : at + int(hole_s * RATE_HZ)] = 0
    assert find(audio, taped(silence(1), torn, silence(1)), RATE_HZ).longest_hole_ms == pytest.approx(
        hole_s * 1000, abs=10
    )


def test_a_reply_that_was_not_played_is_one_hole() -> None:
    found = find(speech(), silence(5), RATE_HZ)
    assert (found.missing, found.longest_hole_ms) == (30, 100)


def test_a_longer_pause_is_none() -> None:
    audio = taped(speech(1), silence(0.3), speech(1, seed=2))
    played = taped(silence(1), speech(1), silence(0.9), speech(1, seed=2))
    found = find(audio, played, RATE_HZ)
    assert found.holes_s == ()
    assert found.pauses_s == pytest.approx((0.6,))


def test_what_was_not_played_is_missing() -> None:
    audio = speech()
    found = find(audio, taped(audio[: 2 * RATE_HZ], silence(2)), RATE_HZ)
    assert found.missing == 10


def test_it_looks_on_where_the_one_before_ended() -> None:
    audio = speech()
    tape = taped(audio, silence(1), audio)
    first = find(audio, tape, RATE_HZ)
    assert find(audio, tape, RATE_HZ, after=first.ends_at).ends_at == tape.size
