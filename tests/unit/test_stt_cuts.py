"""Where long speech is cut."""

import numpy as np

from services.common.audio import Samples
from services.stt.cuts import PIECE_SAMPLES, cut_of

RANDOM = np.random.default_rng(3)


def noise(seconds: float, level: float) -> Samples:
    return (RANDOM.standard_normal(int(seconds * 16_000)) * level).astype(np.int16)


def test_it_is_cut_in_the_middle_of_the_pause() -> None:
    audio = np.concatenate([noise(20, 3000), noise(0.3, 10), noise(12, 3000)])
    assert abs(cut_of(audio) - int(20.15 * 16_000)) <= 0.06 * 16_000


def test_of_equal_pauses_the_last_that_fits() -> None:
    audio = np.concatenate([noise(16, 3000), noise(0.3, 0), noise(6, 3000), noise(0.3, 0), noise(12, 3000)])
    assert cut_of(audio) > 22 * 16_000


def test_a_pause_that_comes_too_early_or_too_late_does_not_count() -> None:
    audio = np.concatenate([noise(5, 3000), noise(0.5, 0), noise(24, 3000), noise(0.5, 0), noise(2, 3000)])
    assert 14 * 16_000 < cut_of(audio) < PIECE_SAMPLES
