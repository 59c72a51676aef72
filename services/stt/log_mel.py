"""The spectrum that Whisper's encoder sees, 80 bands at 10 ms, in numpy alone: Smart Turn is built on that encoder."""

import numpy as np
from numpy.typing import NDArray

from services.stt.engine import ENGINE_RATE_HZ
from services.stt.onnx_model import Tensor

_BANDS = 80
_WINDOW_SAMPLES = 400
_HOP_SAMPLES = 160
_LEAST_POWER = 1e-10
_RANGE = 8.0  # what is fainter than the loudest by this much, in powers of ten, is silence
# Products as small as this stay in one thread: others of BLAS would go on spinning where recognisers need the cores.
_PARTS = 50
# Slaney's mel scale: even up to 1 kHz, then logarithmic.
_HZ_PER_MEL = 200 / 3
_EVEN_MELS = 15.0
_MELS_PER_OCTAVE_OF_E = 27 / np.log(6.4)


def log_mel(wave: Tensor) -> Tensor:
    """The spectrum of a wave, one column for every 10 ms."""
    half = _WINDOW_SAMPLES // 2
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(wave, half, mode="reflect"), _WINDOW_SAMPLES)
    spectra = np.fft.rfft(windows[:-1:_HOP_SAMPLES] * _HANN, axis=1)
    power = np.concatenate([part @ _FILTERS for part in np.array_split(np.abs(spectra) ** 2, _PARTS)]).T
    logarithms = np.log10(np.maximum(power, _LEAST_POWER))
    clamped = np.maximum(logarithms, logarithms.max() - _RANGE)
    spectrum: Tensor = ((clamped + 4) / 4).astype(np.float32)
    return spectrum


def _hertz(mels: NDArray[np.float64]) -> NDArray[np.float64]:
    edge = _EVEN_MELS * _HZ_PER_MEL
    return np.where(mels < _EVEN_MELS, mels * _HZ_PER_MEL, edge * np.exp((mels - _EVEN_MELS) / _MELS_PER_OCTAVE_OF_E))


def _filters() -> Tensor:
    """Triangles over the frequencies, one a band, all of the same area."""
    top_mels = _EVEN_MELS + np.log(ENGINE_RATE_HZ / 2 / 1000) * _MELS_PER_OCTAVE_OF_E
    edges = _hertz(np.linspace(0, top_mels, _BANDS + 2))[:, np.newaxis]
    frequencies = np.fft.rfftfreq(_WINDOW_SAMPLES, 1 / ENGINE_RATE_HZ)
    rising = (frequencies - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - frequencies) / (edges[2:] - edges[1:-1])
    triangles = np.maximum(0, np.minimum(rising, falling)) * 2 / (edges[2:] - edges[:-2])
    return triangles.T.astype(np.float32)


_HANN = np.hanning(_WINDOW_SAMPLES + 1)[:-1].astype(np.float32)
_FILTERS = _filters()
