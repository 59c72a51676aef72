"""Makes the closed-set model's folder of the committed weights: python -m scripts.closed_whisper.build FOLDER.

It needs no torch and about a second. The same weights make the same files.
"""

import hashlib
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from scripts import whisper_folder, whisper_layout
from scripts.whisper_folder import Array, whole_folder, write_model
from scripts.whisper_layout import Shape, make_tokenizer

WEIGHTS = Path(__file__).with_name("weights.npz")
_STAMP = "made-from.txt"
_NEVER = -1e4  # added to what was never taught, so that it is never said


def build(folder: Path) -> None:
    """Writes the model, whole or not at all."""
    with np.load(WEIGHTS) as weights:
        parameters = {name: weights[name] for name in weights.files}
    shape = Shape(*(int(measure) for measure in parameters.pop("shape")))
    merges = [(str(left), str(right)) for left, right in parameters.pop("merges")]
    with whole_folder(folder) as made:
        write_model(made, shape, _expanded(shape, parameters), make_tokenizer(merges, shape))
        (made / _STAMP).write_text(digest(), encoding="utf-8")


def ensure(folder: Path) -> Path:
    """The folder, made where it is missing or made of other weights."""
    stamp = folder / _STAMP
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != digest():
        build(folder)
    return folder


@cache
def digest() -> str:
    """Changes with the weights and with what writes them."""
    files = (WEIGHTS, Path(__file__), Path(whisper_folder.__file__), Path(whisper_layout.__file__))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def _expanded(shape: Shape, stored: Mapping[str, Any]) -> dict[str, Array]:
    """All parameters, with rows for the tokens that were never taught, and Whisper's fixed encoder positions."""
    parameters = {name: array.astype(np.float32) for name, array in stored.items() if name != "taught"}
    embedding = np.zeros((shape.vocabulary_size, shape.width), np.float32)
    bias = np.full(shape.vocabulary_size, _NEVER, np.float32)
    embedding[stored["taught"]] = parameters["embedding.weight"]
    bias[stored["taught"]] = 0
    positions = _sinusoids(shape.encoder_positions, shape.width)
    return parameters | {"embedding.weight": embedding, "embedding.bias": bias, "encoder_positions": positions}


def _sinusoids(length: int, width: int) -> Array:
    scale = np.exp(-np.arange(width // 2) * (np.log(10_000) / (width // 2 - 1)))
    angles = np.arange(length)[:, None] * scale
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=1).astype(np.float32)


if __name__ == "__main__":
    build(Path(sys.argv[1]))
