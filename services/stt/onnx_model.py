"""A small ONNX model on the CPU. The only user of its runtime."""

from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from services.common.errors import ModelError

Tensor = NDArray[np.float32]


class OnnxModel:
    """Runs one model; several threads may ask it at once."""

    def __init__(self, path: Path) -> None:
        options = onnxruntime.SessionOptions()
        # So small a model gains nothing from more threads, and waiting ones would spin: recognisers need the cores.
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its own kinds have no common ancestor but this
            raise ModelError(f"{path} is no model that onnxruntime can run") from error

    def run(self, inputs: dict[str, Tensor]) -> list[Tensor]:
        """The model's outputs, in its own order."""
        outputs: list[Tensor] = self._session.run(None, inputs)
        return outputs
