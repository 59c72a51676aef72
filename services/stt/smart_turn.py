"""Smart Turn v3: hears in the melody of the last words whether the speaker is done."""

from pathlib import Path

import numpy as np

from services.common.audio import Samples
from services.stt.engine import ENGINE_RATE_HZ
from services.stt.log_mel import log_mel
from services.stt.onnx_model import OnnxModel, Tensor
from services.stt.turn_detector import TURN_SAMPLES

_LEAST_VARIANCE = 1e-7  # of digital silence, which has none
_FULL_SCALE = 32768


class SmartTurn:
    """One model for all streams. A judgement takes about 50 ms of one core."""

    def __init__(self, path: Path) -> None:
        self._model = OnnxModel(path)
        self.finished(np.zeros(ENGINE_RATE_HZ, np.int16))  # the first one takes longer, and shows what cannot be run

    def finished(self, samples: Samples) -> float:
        """The probability that the speaker is done."""
        (probability,) = self._model.run({"input_features": log_mel(_window(samples))[np.newaxis]})
        return float(probability.item())


def _window(samples: Samples) -> Tensor:
    """The last TURN_SAMPLES as the model was taught to hear them: silence in front where there are fewer, one level."""
    last = samples[-TURN_SAMPLES:].astype(np.float32) / _FULL_SCALE
    window = np.pad(last, (TURN_SAMPLES - last.size, 0))
    levelled: Tensor = (window - window.mean()) / np.sqrt(window.var() + _LEAST_VARIANCE)
    return levelled
