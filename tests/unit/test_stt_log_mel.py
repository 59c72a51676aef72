"""Our spectrum for Smart Turn against that of faster-whisper, which is the one that Whisper was trained with."""

import numpy as np
import pytest
from faster_whisper.feature_extractor import FeatureExtractor

from services.stt.log_mel import log_mel
from services.stt.turn_detector import TURN_SAMPLES


@pytest.mark.parametrize(("level", "silent_share"), [(1.0, 0.0), (3.0, 0.7), (1e-4, 0.3)])
def test_it_is_whisper_s_spectrum(level: float, silent_share: float) -> None:
    wave = np.random.default_rng(3).standard_normal(TURN_SAMPLES).astype(np.float32) * np.float32(level)
    wave[: int(silent_share * wave.size)] = 0
    expected = FeatureExtractor(chunk_length=8)(wave, padding=0)
    assert log_mel(wave) == pytest.approx(expected, abs=1e-4)


def test_silence_has_a_spectrum_too() -> None:
    spectrum = log_mel(np.zeros(TURN_SAMPLES, np.float32))
    assert spectrum.shape == (80, 800)
    assert spectrum.dtype == np.float32
    assert np.isfinite(spectrum).all()
