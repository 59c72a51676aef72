"""What a GGUF file says of the model in it, and the memory that takes.

Read without llama.cpp, which ends the whole process over some files.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from services.common.errors import EngineFailedError
from services.llm.gguf_layout import GgufLayout, TensorInfo, read_layout
from services.llm.gguf_reader import FormatError, Value
from services.llm.llama_options import KvType, LlamaOptions

_LEAST_CONTEXT_TOKENS = 256  # the settings', too
_MOST_LAYERS = 1024
_MOST_OF_A_KIND = 1 << 24  # heads, lengths: far beyond any model, and no product of them gets out of hand
# What ggml makes of 32 values; a head whose length does not fill such blocks is kept as f16.
_BLOCK_VALUES = 32
_BLOCK_BYTES: dict[KvType, int] = {"f16": 64, "q8_0": 34, "q4_0": 18}
_VALUE_BYTES = 4  # of what it computes with
# Rows of activations that live at the same time, with those of the feed-forward part.
_ACTIVATIONS = 8
# CUDA itself, its kernels and the workspace of its matrix products, whatever the model.
_CUDA_BYTES = 400_000_000


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """A model, as its file describes it; the names are GGUF's."""

    file_bytes: int
    architecture: str
    context_length: int  # tokens that it was trained to read
    block_count: int
    embedding_length: int
    head_count: int  # of the layer that has most
    head_count_kv: tuple[int, ...]  # of each layer
    key_length: int  # of one head, as the next
    value_length: int
    vocabulary_size: int
    tensors: tuple[TensorInfo, ...]


def read_header(path: Path) -> GgufHeader:
    """The header of a whole and sound file, or an EngineFailedError that says what is wrong with it."""
    if not path.is_file():  # nor a pipe, which would keep us waiting
        raise EngineFailedError(f"there is no file {path}")
    try:
        with path.open("rb") as file:
            file_bytes = path.stat().st_size
            return _header(file_bytes, read_layout(file, file_bytes))
    except FormatError as error:
        raise EngineFailedError(f"{path} is no model that can be used: {error}") from error
    except OSError as error:
        raise EngineFailedError(f"{path} cannot be read: {error}") from error


def kv_bytes(header: GgufHeader, options: LlamaOptions) -> int:
    """What the tokens of all sequences take once they are read."""
    return _kept_values(header, options) * _BLOCK_BYTES[_kv_type(header, options)] // _BLOCK_VALUES


def vram_bytes(header: GgufHeader, options: LlamaOptions) -> int:
    """What it takes of a graphics card, rather too much than too little.

    Of a model of 8 B parameters, 5.7 GB, with 4 sequences of 8192 tokens: 8.9 GB.
    """
    if not options.gpu_layers:
        return 0
    there_are = header.block_count + 1  # llama.cpp counts the output as a layer
    layers = there_are if options.gpu_layers < 0 else min(options.gpu_layers, there_are)
    weights_and_memory = (header.file_bytes + kv_bytes(header, options)) * layers // there_are
    return weights_and_memory + _compute_bytes(header, options) + _CUDA_BYTES


def _compute_bytes(header: GgufHeader, options: LlamaOptions) -> int:
    """What a step needs beside them: mostly a row of the vocabulary for each token of it.

    Without flash attention it is one of scores for each head, if that is more. With it, a quantized layer is spread
    out to f16.
    """
    scores = 0 if options.flash_attention else _context_tokens(header, options) * header.head_count
    row = max(header.vocabulary_size, scores) + _ACTIVATIONS * header.embedding_length
    spread_out = 0 if _kv_type(header, options) == "f16" else _kept_values(header, options) * 2 // header.block_count
    return options.batch_tokens * row * _VALUE_BYTES + spread_out


def _kept_values(header: GgufHeader, options: LlamaOptions) -> int:
    tokens = options.sequences * _context_tokens(header, options)
    return tokens * sum(header.head_count_kv) * (header.key_length + header.value_length)


def _context_tokens(header: GgufHeader, options: LlamaOptions) -> int:
    """Of one sequence: never more than it was trained to read."""
    return min(options.context_tokens, header.context_length)


def _kv_type(header: GgufHeader, options: LlamaOptions) -> KvType:
    fills_blocks = not (header.key_length % _BLOCK_VALUES or header.value_length % _BLOCK_VALUES)
    return options.kv_type if fills_blocks else "f16"


def _header(file_bytes: int, layout: GgufLayout) -> GgufHeader:
    metadata, tensors = layout.metadata, layout.tensors
    architecture = metadata.get("general.architecture")
    if not isinstance(architecture, str) or not architecture:
        raise FormatError("it does not name its architecture")
    layers = _number(metadata, f"{architecture}.block_count", most=_MOST_LAYERS)
    embedding = _number(metadata, f"{architecture}.embedding_length")
    heads = _each(metadata, f"{architecture}.attention.head_count", layers, 0)
    head_length = embedding // max(1, *heads)
    return GgufHeader(
        file_bytes=file_bytes,
        architecture=architecture,
        context_length=_number(metadata, f"{architecture}.context_length", least=_LEAST_CONTEXT_TOKENS),
        block_count=layers,
        embedding_length=embedding,
        head_count=max(heads),
        head_count_kv=_each(metadata, f"{architecture}.attention.head_count_kv", layers, heads),
        key_length=_number(metadata, f"{architecture}.attention.key_length", head_length),
        value_length=_number(metadata, f"{architecture}.attention.value_length", head_length),
        vocabulary_size=next((tensor.shape[-1] for tensor in tensors if tensor.name == "token_embd.weight"), 0),
        tensors=tensors,
    )


def _number(
    metadata: Mapping[str, Value], key: str, default: int | None = None, *, least: int = 1, most: int = _MOST_OF_A_KIND
) -> int:
    """A whole number; what has no default must be there."""
    value = metadata.get(key, default)
    if value is None:
        raise FormatError(f"it is no language model: it has no {key}")
    if not isinstance(value, int) or not least <= value <= most:
        raise FormatError(f"it is damaged: {key} is {value!r}")
    return value


def _each(metadata: Mapping[str, Value], key: str, layers: int, default: Value) -> tuple[int, ...]:
    """A number for each layer, in the file one for all of them, or one each. Layers without attention have zero."""
    value = metadata.get(key, default)
    values = value if isinstance(value, tuple) else (value,) * layers
    numbers = tuple(number for number in values if isinstance(number, int) and 0 <= number <= _MOST_OF_A_KIND)
    if not len(numbers) == len(values) == layers:
        raise FormatError(f"it is damaged: {key} is {value!r}")
    return numbers
