"""services/llm/gguf.py: what a file says of its model, and that no file makes more of it than a clear refusal."""

import os
import struct
import tracemalloc
from collections.abc import Callable, Mapping
from dataclasses import replace
from math import prod
from pathlib import Path

import pytest

from services.common.errors import EngineFailedError
from services.common.gpu import GB
from services.llm.gguf import GgufHeader, kv_bytes, read_header, vram_bytes
from services.llm.llama_options import KvType, LlamaOptions
from tests.support.llm import section, tiny_model

MIB = 2**20
TENSORS = {"token_embd.weight": ((64, 512), 1), "blk.0.attn_q.weight": ((64, 64), 8), "output_norm.weight": ((64,), 0)}
SIZES = {0: (1, 4), 1: (1, 2), 8: (32, 34), 99: (1, 1)}


def text(content: bytes) -> bytes:
    return struct.pack("<Q", len(content)) + content


def u32(value: int) -> bytes:
    return struct.pack("<II", 4, value)


def texts(*contents: bytes) -> bytes:
    return struct.pack("<IIQ", 9, 8, len(contents)) + b"".join(map(text, contents))


def u32s(*values: int) -> bytes:
    return struct.pack(f"<IIQ{len(values)}I", 9, 4, len(values), *values)


METADATA = {
    "general.architecture": struct.pack("<I", 8) + text(b"llama"),
    "llama.context_length": u32(2048),
    "llama.block_count": u32(2),
    "llama.embedding_length": u32(64),
    "llama.attention.head_count": u32(4),
}


def tensor_table(tensors: Mapping[str, tuple[tuple[int, ...], int]]) -> tuple[bytes, int]:
    """The table, and how long the data is that goes with it."""
    table, end = b"", 0
    for name, (shape, kind) in tensors.items():
        offset = -(-end // 32) * 32
        table += text(name.encode()) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, offset)
        values, block_bytes = SIZES[kind]
        end = offset + prod(shape) // values * block_bytes
    return table, end


def gguf(
    more: Mapping[str, bytes] = {},
    *,
    without: str = "",
    version: int = 3,
    tensors: Mapping[str, tuple[tuple[int, ...], int]] = TENSORS,
) -> bytes:
    entries = {key: value for key, value in {**METADATA, **more}.items() if key != without}
    metadata = b"".join(text(key.encode()) + value for key, value in entries.items())
    table, data_bytes = tensor_table(tensors)
    header = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(entries)) + metadata + table
    return header + bytes(-len(header) % 32) + bytes(data_bytes)


def read(content: bytes, folder: Path) -> GgufHeader:
    path = folder / "model.gguf"
    path.write_bytes(content)
    return read_header(path)


def refusal(content: bytes, folder: Path) -> str:
    with pytest.raises(EngineFailedError, match=r"model\.gguf") as caught:
        read(content, folder)
    return caught.value.message


def test_a_real_model_is_described() -> None:
    header = read_header(tiny_model())
    assert (header.architecture, header.context_length, header.file_bytes) == ("llama", 2048, 1_185_376)
    assert (header.block_count, header.embedding_length, header.vocabulary_size) == (5, 64, 512)
    assert (header.head_count, header.head_count_kv) == (8, (4,) * 5)
    assert (header.key_length, header.value_length) == (8, 8)
    assert len(header.tensors) == 48


def test_what_a_file_does_not_name_follows_from_the_rest(tmp_path: Path) -> None:
    header = read(gguf(), tmp_path)
    assert (header.key_length, header.value_length, header.head_count_kv) == (16, 16, (4, 4))
    assert header.tensors[1].size_bytes == 64 * 64 // 32 * 34


def test_what_it_names_counts(tmp_path: Path) -> None:
    more = {
        "llama.attention.head_count_kv": u32s(2, 0),  # a layer without attention
        "llama.attention.key_length": u32(24),
        "llama.attention.value_length": u32(40),
        "tokenizer.chat_template": struct.pack("<I", 8) + text(b"{{ messages }}" * 100),
    }
    header = read(gguf(more), tmp_path)
    assert (header.head_count_kv, header.key_length, header.value_length) == ((2, 0), 24, 40)


def test_megabytes_of_vocabulary_are_passed_over(tmp_path: Path) -> None:
    vocabulary = texts(*(b"token %d" % number * (number % 9) for number in range(90_000)))
    more = {
        "tokenizer.ggml.tokens": vocabulary,
        "tokenizer.ggml.scores": u32s(*range(900_000)),
        "tokenizer.chat_template": struct.pack("<I", 8) + text(b"{{ message }}" * 300_000),
        "llama.attention.key_length": u32(24),
    }
    (tmp_path / "model.gguf").write_bytes(gguf(more))
    tracemalloc.start()
    header = read_header(tmp_path / "model.gguf")
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert header.key_length == 24
    assert peak_bytes < 3 * MIB < len(vocabulary)


def test_the_second_version_is_read_too_and_no_other(tmp_path: Path) -> None:
    assert read(gguf(version=2), tmp_path) == read(gguf(), tmp_path)
    for version in (0, 1, 4, 3 << 24):  # the last is what other byte orders look like
        assert f"version {version} of GGUF; 2 and 3 can be read" in refusal(gguf(version=version), tmp_path)


def test_a_type_that_is_not_known_here_is_left_to_llama_cpp(tmp_path: Path) -> None:
    header = read(gguf(tensors={"new": ((64,), 99), **TENSORS}), tmp_path)
    assert [tensor.size_bytes is None for tensor in header.tensors] == [True, False, False, False]


def test_a_file_cut_anywhere_is_refused(tmp_path: Path) -> None:
    whole = gguf({"tokenizer.ggml.tokens": texts(b"a", b"bc"), "general.file_type": u32s(1, 2)}, tensors=TENSORS)
    data_begins = len(whole) - tensor_table(TENSORS)[1]
    for length in [*range(data_begins + 40), *range(data_begins + 40, len(whole), 997), len(whole) - 1]:
        message = refusal(whole[:length], tmp_path)
        if length > data_begins:
            assert f"the file is cut short: {len(whole) - length} bytes are missing" in message


def test_no_byte_makes_more_of_a_header_than_a_refusal(tmp_path: Path) -> None:
    whole = gguf({"tokenizer.ggml.tokens": texts(b"a", b"bc")})
    for position in range(len(whole) - tensor_table(TENSORS)[1]):
        for value in (0, 0x7F, 0xFF, whole[position] ^ 1):
            try:
                read(whole[:position] + bytes([value]) + whole[position + 1 :], tmp_path)
            except EngineFailedError as error:
                assert "model.gguf" in error.message  # noqa: PT017  # most of them are no errors


def _put(at: int, form: str, *values: int) -> Callable[[bytes], bytes]:
    return lambda whole: whole[:at] + struct.pack(form, *values) + whole[at + struct.calcsize(form) :]


def _after(mark: bytes, form: str, value: int) -> Callable[[bytes], bytes]:
    return lambda whole: _put(whole.index(mark) + len(mark), form, value)(whole)


ARCHITECTURE = b"general.architecture\x08\0\0\0"


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda whole: b"", "it is not in the GGUF format"),
        (lambda whole: b"FUGG" + whole[4:], "it is not in the GGUF format"),
        (_put(8, "<Q", 2**62), f"it is damaged: {2**62} tensors, 5 keys"),
        (_put(16, "<Q", 2**62), f"it is damaged: 3 tensors, {2**62} keys"),
        (_put(16, "<Q", 6), "it is damaged: a name"),
        (_put(24, "<Q", 2**60), f"a name of {2**60} bytes"),
        (_put(32, "<B", 0xFF), "is no text"),
        (_after(ARCHITECTURE, "<Q", 2**60), "its header goes beyond its end"),
        (_after(b"llama.block_count", "<I", 13), "there is no type 13 of metadata"),
        (_after(b"output_norm.weight", "<I", 5), "'output_norm.weight' has 5 dimensions"),
        (_after(b"output_norm.weight\1\0\0\0", "<Q", 0), "'output_norm.weight' has the shape (0,)"),
        (_after(b"attn_q.weight\2\0\0\0", "<Q", 2**61), f"has the shape ({2**61}, 64)"),
        (_after(b"attn_q.weight\2\0\0\0", "<Q", 63), "do not fill blocks of 32"),
        (_after(b"attn_q.weight\2\0\0\0", "<Q", 96), "'output_norm.weight' does not lie where it should"),
    ],
)
def test_what_is_wrong_is_said(damage: Callable[[bytes], bytes], sentence: str, tmp_path: Path) -> None:
    message = refusal(damage(gguf()), tmp_path)
    assert sentence in message


@pytest.mark.parametrize(
    ("more", "without", "sentence"),
    [
        ({}, "general.architecture", "it does not name its architecture"),
        ({}, "llama.block_count", "it is no language model: it has no llama.block_count"),
        ({"llama.context_length": u32(255)}, "", "llama.context_length is 255"),
        ({"llama.block_count": u32(0)}, "", "llama.block_count is 0"),
        ({"llama.block_count": u32(2**31)}, "", f"llama.block_count is {2**31}"),
        ({"llama.embedding_length": struct.pack("<If", 6, 64.0)}, "", "llama.embedding_length is 64.0"),
        ({"llama.attention.head_count": u32s(4, 4, 4)}, "", "llama.attention.head_count is (4, 4, 4)"),
        ({"llama.attention.head_count": struct.pack("<Ii", 5, -4)}, "", "llama.attention.head_count is -4"),
        ({"llama.attention.head_count": u32(65)}, "", "llama.attention.key_length is 0"),
        ({"general.alignment": u32(24)}, "", "an alignment of 24 bytes"),
        ({"general.alignment": u32(0)}, "", "an alignment of 0 bytes"),
        ({"general.alignment": u32(2**20)}, "", "does not lie where it should"),
        ({"some.list": struct.pack("<IIQ", 9, 9, 1)}, "", "there is no type 9 of metadata"),
        ({"some.list": struct.pack("<IIQ", 9, 4, 2**60)}, "", "its header goes beyond its end"),
        ({"some.list": struct.pack("<IIQ", 9, 8, 2**60)}, "", f"a list of {2**60} texts"),
        ({"some.list": struct.pack("<IIQ", 9, 8, 2**21) * 2}, "", "its header goes beyond its end"),
    ],
)
def test_metadata_that_cannot_be_is_said(more: dict[str, bytes], without: str, sentence: str, tmp_path: Path) -> None:
    assert sentence in refusal(gguf(more, without=without), tmp_path)


def test_twins_are_refused(tmp_path: Path) -> None:
    whole = gguf({"general.alignmenu": u32(32), "general.alignment": u32(32)})
    assert "the key 'general.alignment' is there twice" in refusal(whole.replace(b"menu", b"ment"), tmp_path)
    whole = gguf(tensors={"one.weight": ((32,), 0), "two.weight": ((32,), 0)})
    assert "a tensor is there twice" in refusal(whole.replace(b"two", b"one"), tmp_path)
    assert "it has no tensors" in refusal(gguf(tensors={}), tmp_path)


def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "none.gguf", tmp_path, tmp_path / "pipe"):
        with pytest.raises(EngineFailedError, match=f"there is no file {path}"):
            read_header(path)


LLAMA_3_8B = GgufHeader(
    file_bytes=5_733_000_000,
    architecture="llama",
    context_length=8192,
    block_count=32,
    embedding_length=4096,
    head_count=32,
    head_count_kv=(8,) * 32,
    key_length=128,
    value_length=128,
    vocabulary_size=128_256,
    tensors=(),
)
OPTIONS = LlamaOptions(
    context_tokens=8192, sequences=4, batch_tokens=512, gpu_layers=-1, flash_attention=True, kv_type="q8_0"
)


@pytest.mark.parametrize(("kv_type", "mib"), [("f16", 4096), ("q8_0", 2176), ("q4_0", 1152)])
def test_the_memory_of_what_was_read_is_what_llama_cpp_reports(kv_type: KvType, mib: int) -> None:
    assert kv_bytes(LLAMA_3_8B, replace(OPTIONS, kv_type=kv_type)) == mib * MIB


def test_no_memory_is_kept_beyond_what_a_model_was_trained_to_read() -> None:
    assert kv_bytes(LLAMA_3_8B, replace(OPTIONS, context_tokens=16_384)) == kv_bytes(LLAMA_3_8B, OPTIONS)
    assert kv_bytes(LLAMA_3_8B, replace(OPTIONS, context_tokens=4096)) == kv_bytes(LLAMA_3_8B, OPTIONS) // 2


def test_heads_that_fill_no_block_are_kept_as_they_are() -> None:
    odd = replace(LLAMA_3_8B, value_length=120)
    assert kv_bytes(odd, OPTIONS) == kv_bytes(odd, replace(OPTIONS, kv_type="f16"))


def test_a_card_takes_the_layers_that_it_is_given() -> None:
    assert vram_bytes(LLAMA_3_8B, replace(OPTIONS, gpu_layers=0)) == 0
    few, half, all_but_output, every = (
        vram_bytes(LLAMA_3_8B, replace(OPTIONS, gpu_layers=layers)) for layers in (1, 16, 32, 33)
    )
    assert few < half < all_but_output < every == vram_bytes(LLAMA_3_8B, OPTIONS)
    assert vram_bytes(LLAMA_3_8B, replace(OPTIONS, gpu_layers=99)) == every


def test_what_flash_attention_saves_is_counted() -> None:
    plain = replace(OPTIONS, kv_type="f16", flash_attention=False)
    assert vram_bytes(LLAMA_3_8B, plain) > vram_bytes(LLAMA_3_8B, replace(plain, flash_attention=True))


def test_the_mind_and_the_ears_fit_on_the_card_that_they_share() -> None:
    llm = section("--profile", "rtx3090")
    mind = vram_bytes(LLAMA_3_8B, llm.llama_cpp["llama-3-8b-q5"].options(default_threads=1))
    assert 8 * GB < mind < 10 * GB
    ears_and_a_screen = 4 * GB
    assert mind + ears_and_a_screen < 25.8 * GB * llm.gpu.max_used_percent / 100
