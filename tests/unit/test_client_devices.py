"""`superwhisper devices --test`: what is recorded, judged and played."""

import numpy as np
import pytest

from client.audio.levels import SILENCE_DBFS
from client.device_test import Pace, Verdict, judge, play, record
from client.errors import CommandError
from services.common.audio import Recording, Samples
from tests.fakes.clock import FakeClock
from tests.fakes.sound_library import FakeSoundLibrary

RATE_HZ = 16_000


def tone(loudness: float, seconds: float = 1.0) -> Samples:
    time_s = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    return (np.sin(2 * np.pi * 440 * time_s) * loudness * 2**15).clip(-(2**15), 2**15 - 1).astype(np.int16)


def recording(*pieces: Samples) -> Recording:
    return Recording(np.concatenate(pieces), RATE_HZ)


def plugged() -> FakeSoundLibrary:
    library = FakeSoundLibrary()
    library.plug("input", "microphone", RATE_HZ)
    library.plug("output", "loudspeaker", 48_000)
    library.look_again()
    return library


def pace(library: FakeSoundLibrary, *, beating: bool = True) -> Pace:
    """While somebody waits, the devices' threads come."""
    clock = FakeClock()

    def sleep(seconds: float) -> None:
        clock.advance(seconds)
        if beating:
            library.beat()

    return Pace(clock, sleep)


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        (tone(0.3), Verdict.FINE),
        (tone(0.02), Verdict.FINE),
        (tone(0.005), Verdict.QUIET),
        (tone(0.0005), Verdict.SILENT),
        (tone(0.0), Verdict.SILENT),
        (tone(3.0), Verdict.CLIPPED),
        (np.empty(0, np.int16), Verdict.SILENT),
    ],
)
def test_a_recording_is_judged(said: Samples, verdict: Verdict) -> None:
    assert judge(recording(said)) is verdict


def test_a_word_in_a_long_silence_counts_and_one_full_sample_does_not() -> None:
    full = np.full(1, 2**15 - 1, np.int16)
    assert judge(recording(tone(0.0, 2.5), tone(0.1, 0.3), full, tone(0.0))) is Verdict.FINE


def test_three_seconds_are_recorded_and_their_level_shown() -> None:
    library, shown = plugged(), list[float]()
    device = library.find("input", "")
    assert device is not None
    recorded = record(library, device, shown.append, pace(library))
    assert 3.0 <= recorded.duration_ms / 1000 < 3.1
    assert shown
    assert set(shown) == {SILENCE_DBFS}
    assert not library.running


def test_all_of_a_recording_is_played() -> None:
    library = plugged()
    device = library.find("output", "")
    assert device is not None
    play(library, device, recording(tone(0.3)), pace(library))
    loudspeaker = library.opened[0]
    assert loudspeaker.beats >= 100  # blocks of 10 ms
    assert not loudspeaker.is_open


def test_a_microphone_that_gives_nothing_is_told() -> None:
    library = plugged()
    device = library.find("input", "")
    assert device is not None
    with pytest.raises(CommandError, match="microphone gives nothing: does another program use it"):
        record(library, device, print, pace(library, beating=False))
    assert not library.running


def test_a_loudspeaker_that_takes_nothing_is_told() -> None:
    library = plugged()
    device = library.find("output", "")
    assert device is not None
    with pytest.raises(CommandError, match="loudspeaker takes nothing: does another program use it"):
        play(library, device, recording(tone(0.3)), pace(library, beating=False))
    assert not library.running
