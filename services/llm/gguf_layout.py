"""How a GGUF file is laid out: metadata, a table of tensors, their data. All of it must lie inside the file."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import BinaryIO

from services.llm.gguf_reader import U32, U64, FormatError, GgufReader, Value

_MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_MOST_ENTRIES = 1 << 16  # of metadata, and of tensors: the largest models have some thousands
_LONGEST_KEY_BYTES = 1024
_LONGEST_TENSOR_NAME_BYTES = 63  # llama.cpp's own limit, as are the dimensions
_MOST_DIMENSIONS = 4
_MOST_VALUES = 1 << 62
_DEFAULT_ALIGNMENT = 32
# How many values ggml packs into how many bytes, by the type's number. One that is not here is llama.cpp's to judge.
_BLOCKS = {
    0: (1, 4),  # F32
    1: (1, 2),  # F16
    2: (32, 18),  # Q4_0
    3: (32, 20),  # Q4_1
    6: (32, 22),  # Q5_0
    7: (32, 24),  # Q5_1
    8: (32, 34),  # Q8_0
    9: (32, 36),  # Q8_1
    10: (256, 84),  # Q2_K
    11: (256, 110),  # Q3_K
    12: (256, 144),  # Q4_K
    13: (256, 176),  # Q5_K
    14: (256, 210),  # Q6_K
    15: (256, 292),  # Q8_K
    16: (256, 66),  # IQ2_XXS
    17: (256, 74),  # IQ2_XS
    18: (256, 98),  # IQ3_XXS
    19: (256, 50),  # IQ1_S
    20: (32, 18),  # IQ4_NL
    21: (256, 110),  # IQ3_S
    22: (256, 82),  # IQ2_S
    23: (256, 136),  # IQ4_XS
    24: (1, 1),  # I8
    25: (1, 2),  # I16
    26: (1, 4),  # I32
    27: (1, 8),  # I64
    28: (1, 8),  # F64
    29: (256, 56),  # IQ1_M
    30: (1, 2),  # BF16
    34: (256, 54),  # TQ1_0
    35: (256, 66),  # TQ2_0
    39: (32, 17),  # MXFP4
    40: (64, 36),  # NVFP4
    41: (128, 18),  # Q1_0
    42: (64, 18),  # Q2_0
}


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """One tensor. Its offset counts from where the data begins; its size is None where its type is not known here."""

    name: str
    shape: tuple[int, ...]
    type: int
    offset: int
    size_bytes: int | None


@dataclass(frozen=True, slots=True)
class GgufLayout:
    """What a file holds, but for the data itself and for long values."""

    metadata: Mapping[str, Value]
    tensors: tuple[TensorInfo, ...]


def read_layout(file: BinaryIO, file_bytes: int) -> GgufLayout:
    """The parts of a whole and sound file, or a FormatError that says what is wrong with it."""
    reader = GgufReader(file, file_bytes)
    if file_bytes < len(_MAGIC) or reader.raw(len(_MAGIC)) != _MAGIC:
        raise FormatError("it is not in the GGUF format")
    version = reader.number(U32)
    if version not in _VERSIONS:
        raise FormatError(f"it is in version {version} of GGUF; {' and '.join(map(str, _VERSIONS))} can be read")
    tensor_count, key_count = reader.number(U64), reader.number(U64)
    if max(tensor_count, key_count) > _MOST_ENTRIES:
        raise FormatError(f"it is damaged: {tensor_count} tensors, {key_count} keys")
    metadata = _metadata(reader, key_count)
    alignment = metadata.get("general.alignment", _DEFAULT_ALIGNMENT)
    if not isinstance(alignment, int) or alignment <= 0 or alignment.bit_count() != 1:
        raise FormatError(f"it is damaged: an alignment of {alignment!r} bytes")
    tensors = tuple(_tensor(reader) for _ in range(tensor_count))
    _check_places(tensors, alignment, file_bytes - _aligned(reader.position, alignment))
    return GgufLayout(metadata, tensors)


def _metadata(reader: GgufReader, count: int) -> dict[str, Value]:
    metadata: dict[str, Value] = {}
    for _ in range(count):
        key = reader.text(_LONGEST_KEY_BYTES)
        if key in metadata:
            raise FormatError(f"it is damaged: the key {key!r} is there twice")
        metadata[key] = reader.value(reader.number(U32))
    return metadata


def _tensor(reader: GgufReader) -> TensorInfo:
    name = reader.text(_LONGEST_TENSOR_NAME_BYTES)
    dimensions = reader.number(U32)
    if dimensions > _MOST_DIMENSIONS:
        raise FormatError(f"it is damaged: the tensor {name!r} has {dimensions} dimensions")
    shape = tuple(reader.number(U64) for _ in range(dimensions))
    if not 0 < prod(shape) < _MOST_VALUES:
        raise FormatError(f"it is damaged: the tensor {name!r} has the shape {shape}")
    kind, offset = reader.number(U32), reader.number(U64)
    return TensorInfo(name, shape, kind, offset, _size_bytes(name, shape, kind))


def _size_bytes(name: str, shape: tuple[int, ...], kind: int) -> int | None:
    if kind not in _BLOCKS:
        return None
    values, block_bytes = _BLOCKS[kind]
    if (shape[0] if shape else 1) % values:
        raise FormatError(f"it is damaged: the rows of the tensor {name!r} do not fill blocks of {values}")
    return prod(shape) // values * block_bytes


def _check_places(tensors: tuple[TensorInfo, ...], alignment: int, data_bytes: int) -> None:
    """Each tensor must lie right behind the one before, and all of them inside the file."""
    if not tensors:
        raise FormatError("it has no tensors")
    if len({tensor.name for tensor in tensors}) < len(tensors):
        raise FormatError("it is damaged: a tensor is there twice")
    expected: int | None = 0
    end = 0
    for tensor in tensors:
        if expected not in {None, tensor.offset}:
            raise FormatError(f"it is damaged: the tensor {tensor.name!r} does not lie where it should")
        end = tensor.offset + (tensor.size_bytes or 0)
        expected = _aligned(end, alignment) if tensor.size_bytes is not None else None
    if end > data_bytes:
        raise FormatError(f"the file is cut short: {end - data_bytes} bytes are missing")


def _aligned(position: int, alignment: int) -> int:
    return -(-position // alignment) * alignment
