"""How loud it is."""

import numpy as np
import pytest

from client.audio.levels import SILENCE_DBFS, Levels, loudness_dbfs


@pytest.mark.parametrize(("amplitude", "dbfs"), [(32767, 0.0), (16384, -6.0), (3277, -20.0), (328, -40.0)])
def test_a_square_wave_is_as_loud_as_its_amplitude(amplitude: int, dbfs: float) -> None:
    wave = np.tile(np.array([amplitude, -amplitude], np.int16), 160)
    assert loudness_dbfs(wave) == pytest.approx(dbfs, abs=0.05)


def test_the_loudest_samples_do_not_overflow() -> None:
    assert loudness_dbfs(np.full(320, -32768, np.int16)) == pytest.approx(0.0)


@pytest.mark.parametrize("samples", [[], [0] * 320, [1] * 320])
def test_nothing_is_quieter_than_silence(samples: list[int]) -> None:
    assert loudness_dbfs(np.array(samples, np.int16)) == SILENCE_DBFS


def test_both_directions_are_told_apart() -> None:
    levels = Levels()
    before = (levels.microphone_dbfs, levels.loudspeaker_dbfs)
    levels.observe(np.full(320, 3277, np.int16), np.full(320, 328, np.int16))
    assert before == (SILENCE_DBFS, SILENCE_DBFS)
    assert (levels.microphone_dbfs, levels.loudspeaker_dbfs) == pytest.approx((-20, -40), abs=0.05)
