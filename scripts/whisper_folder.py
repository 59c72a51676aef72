"""Writes a made Whisper as the folder that CTranslate2 and faster-whisper load."""

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from ctranslate2.specs.whisper_spec import WhisperSpec
from numpy.typing import NDArray
from tokenizers import Tokenizer

from scripts.whisper_layout import END_OF_TEXT, FIRST_LANGUAGE, START_OF_TRANSCRIPT, Shape

_NEVER_SAID = '"#()*+/:;<=>@[\\]^_`{|}~'  # written, not said: Whisper's own decoding suppresses these as well
_NEVER_SAID_TASKS = ("translate", "transcribe", "startoflm", "startofprev", "nospeech")
_SPACE = "Ġ"

Array = NDArray[np.float32]


def write_model(
    folder: Path,
    shape: Shape,
    parameters: Mapping[str, Array],
    tokenizer: Tokenizer,
    quantization: str = "int8",
) -> None:
    """Writes model.bin, config.json, the vocabulary, the tokenizer and what the features are."""
    spec = WhisperSpec(shape.encoder_layers, shape.heads, shape.decoder_layers, shape.heads)
    _fill(spec, shape, parameters)
    spec.config.suppress_ids = _never_said(tokenizer, shape)
    # Not the end, which Whisper has here too: a made model may well hear nothing.
    spec.config.suppress_ids_begin = [tokenizer.token_to_id(_SPACE)]
    spec.config.lang_ids = list(range(FIRST_LANGUAGE, FIRST_LANGUAGE + shape.languages))
    spec.config.alignment_heads = [(shape.decoder_layers - 1, head) for head in range(min(2, shape.heads))]
    vocabulary = [tokenizer.id_to_token(number) for number in range(shape.vocabulary_size)]
    vocabulary[END_OF_TEXT - 1] = ""  # as Whisper has it; without it CTranslate2 takes the model for English alone
    spec.register_vocabulary(vocabulary)
    spec.validate()
    spec.optimize(quantization=quantization)
    spec.save(str(folder))
    tokenizer.save(str(folder / "tokenizer.json"))
    features = {
        "feature_size": shape.mels,
        "sampling_rate": 16_000,
        "hop_length": 160,
        "n_fft": 400,
        "chunk_length": 30,
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(features), encoding="utf-8")


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """A sibling to write to, which takes the folder's place once it is whole: nobody ever finds half a model."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    made.chmod(0o755)
    try:
        yield made
        _put(made, folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)  # it is still there where it was not finished


def _put(made: Path, folder: Path) -> None:
    """Renames; what was there before, or what a faster process has just put there, goes away."""
    while True:
        try:
            made.rename(folder)
        except OSError:
            if not folder.is_dir():
                raise
        else:
            return
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as old:
            try:
                folder.rename(Path(old) / "old")
            except FileNotFoundError:
                continue  # another process has just moved it


def _never_said(tokenizer: Tokenizer, shape: Shape) -> list[int]:
    marks = [number for mark in _NEVER_SAID if (number := tokenizer.token_to_id(mark)) is not None]
    return sorted([*marks, START_OF_TRANSCRIPT, *(shape.task(name) for name in _NEVER_SAID_TASKS)])


def _fill(spec: Any, shape: Shape, parameters: Mapping[str, Array]) -> None:
    encoder, decoder = spec.encoder, spec.decoder
    for name in ("conv1", "conv2"):
        _linear(getattr(encoder, name), parameters, name)
    encoder.position_encodings.encodings = parameters["encoder_positions"]
    _norm(encoder.layer_norm, parameters, "encoder_norm")
    for index in range(shape.encoder_layers):
        _attention(encoder.layer[index].self_attention, parameters, f"encoder.{index}.attention")
        _feed_forward(encoder.layer[index].ffn, parameters, f"encoder.{index}.feed_forward")
    decoder.embeddings.weight = decoder.projection.weight = parameters["embedding.weight"]
    decoder.projection.bias = parameters["embedding.bias"]
    decoder.position_encodings.encodings = parameters["decoder_positions"]
    _norm(decoder.layer_norm, parameters, "decoder_norm")
    for index in range(shape.decoder_layers):
        layer, name = decoder.layer[index], f"decoder.{index}"
        _attention(layer.self_attention, parameters, f"{name}.attention")
        _cross_attention(layer.attention, parameters, f"{name}.cross_attention")
        _feed_forward(layer.ffn, parameters, f"{name}.feed_forward")


def _norm(part: Any, parameters: Mapping[str, Array], name: str) -> None:
    part.gamma, part.beta = parameters[f"{name}.weight"], parameters[f"{name}.bias"]


def _linear(part: Any, parameters: Mapping[str, Array], *names: str) -> None:
    """Several are computed as one."""
    part.weight, part.bias = (
        parameters[f"{names[0]}.{kind}"]
        if len(names) == 1
        else np.concatenate([parameters[f"{name}.{kind}"] for name in names])
        for kind in ("weight", "bias")
    )


def _attention(part: Any, parameters: Mapping[str, Array], name: str) -> None:
    _norm(part.layer_norm, parameters, f"{name}.norm")
    _linear(part.linear[0], parameters, f"{name}.query", f"{name}.key_value")
    _linear(part.linear[1], parameters, f"{name}.out")


def _cross_attention(part: Any, parameters: Mapping[str, Array], name: str) -> None:
    _norm(part.layer_norm, parameters, f"{name}.norm")
    for linear, kind in zip(part.linear, ("query", "key_value", "out"), strict=True):
        _linear(linear, parameters, f"{name}.{kind}")


def _feed_forward(part: Any, parameters: Mapping[str, Array], name: str) -> None:
    _norm(part.layer_norm, parameters, f"{name}.norm")
    _linear(part.linear_0, parameters, f"{name}.inner")
    _linear(part.linear_1, parameters, f"{name}.outer")


def named_shapes(shape: Shape) -> Iterator[tuple[str, tuple[int, ...]]]:
    """The name and shape of every parameter that `write_model` takes."""
    width = shape.width
    yield "encoder_positions", (shape.encoder_positions, width)
    yield "decoder_positions", (shape.decoder_positions, width)
    yield from _linear_shapes("conv1", width, shape.mels, 3)
    yield from _linear_shapes("conv2", width, width, 3)
    yield from _linear_shapes("embedding", shape.vocabulary_size, width)
    yield from (*_norm_shapes("encoder_norm", width), *_norm_shapes("decoder_norm", width))
    for index in range(shape.encoder_layers):
        yield from _attention_shapes(f"encoder.{index}.attention", width)
        yield from _feed_forward_shapes(f"encoder.{index}.feed_forward", width)
    for index in range(shape.decoder_layers):
        yield from _attention_shapes(f"decoder.{index}.attention", width)
        yield from _attention_shapes(f"decoder.{index}.cross_attention", width)
        yield from _feed_forward_shapes(f"decoder.{index}.feed_forward", width)


def _attention_shapes(name: str, width: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield from _norm_shapes(f"{name}.norm", width)
    for part, outputs in (("query", width), ("key_value", 2 * width), ("out", width)):
        yield from _linear_shapes(f"{name}.{part}", outputs, width)


def _feed_forward_shapes(name: str, width: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield from _norm_shapes(f"{name}.norm", width)
    yield from _linear_shapes(f"{name}.inner", 4 * width, width)
    yield from _linear_shapes(f"{name}.outer", width, 4 * width)


def _linear_shapes(name: str, *dimensions: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield f"{name}.weight", dimensions
    yield f"{name}.bias", dimensions[:1]


def _norm_shapes(name: str, width: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield f"{name}.weight", (width,)
    yield f"{name}.bias", (width,)
