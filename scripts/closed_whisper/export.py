"""Writes weights.npz of the checkpoint: python -m scripts.closed_whisper.export FOLDER."""

import sys
from pathlib import Path

import numpy as np
import torch

from scripts.closed_whisper.build import WEIGHTS
from scripts.closed_whisper.lessons import SHAPE


def export(folder: Path) -> None:
    """Keeps what the model needs to hear, in half precision: it is quantized to 8 bits in the end."""
    checkpoint = torch.load(folder / "checkpoint.pt")
    arrays = {
        name: tensor.numpy().astype(np.float16)
        for name, tensor in checkpoint["network"].items()
        if not name.startswith("sound_of_frame")
    }
    measures = (SHAPE.width, SHAPE.encoder_layers, SHAPE.decoder_layers, SHAPE.heads)
    taught = np.array(checkpoint["taught"], np.int32)
    np.savez_compressed(WEIGHTS, shape=measures, merges=checkpoint["merges"], taught=taught, **arrays)
    print(f"{WEIGHTS.name}: {WEIGHTS.stat().st_size / 1e6:.2f} MB after {checkpoint['steps']} steps")


if __name__ == "__main__":
    export(Path(sys.argv[1]))
