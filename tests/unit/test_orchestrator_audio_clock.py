"""Positions in a stream's audio as moments."""

import pytest

from services.orchestrator.audio_clock import AudioClock

RATE_HZ = 16_000
AUDIO_100_MS = bytes(3200)


def clock(*moments: float) -> AudioClock:
    """A clock to which 100 ms came at each of these moments."""
    made = AudioClock(RATE_HZ)
    for moment in moments:
        made.arrived(AUDIO_100_MS, moment)
    return made


@pytest.mark.parametrize(
    ("position_ms", "moment"), [(0, 5.0), (1, 5.0), (100, 5.0), (100.1, 7.0), (250, 8.5), (300, 8.5)]
)
def test_a_sample_came_with_its_message(position_ms: float, moment: float) -> None:
    assert clock(5.0, 7.0, 8.5).moment_of(position_ms) == moment


def test_what_did_not_come_yet_is_taken_for_the_newest() -> None:
    assert clock(5.0, 7.0).moment_of(1000) == 7.0


def test_what_came_too_long_ago_to_be_known_is_taken_for_the_oldest_known() -> None:
    many = clock(*map(float, range(5000)))
    assert many.moment_of(0) == 5000 - 4096
    assert many.moment_of(499_950) == 4999
