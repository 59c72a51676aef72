"""Model files that are broken, tried in a process of their own: refused with a sentence, and this process lives."""

import asyncio
import os
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from services.common.config_files import default_models_dir
from services.common.errors import EngineFailedError, InvalidInputError
from services.common.models.store import ModelStore
from services.llm.gguf import read_header
from services.llm.llama_library import llama_cpp
from services.llm.model_trial import try_out
from tests.support.llm import TINY, collect, generation, llama_engine, small_model, tiny_model
from tests.support.waiting import wait_until

LIMIT_S = 60.0
ENDLESS = "{% for a in range(9999) %}" * 3 + "{% endfor %}" * 3 + "{{ messages[0].content }}"


def children() -> set[str]:
    """The processes that this one has started and not yet waited for."""
    pids: set[str] = set()
    for thread in Path(f"/proc/{os.getpid()}/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # it has ended meanwhile, and has no children then
            pids.update((thread / "children").read_text().split())
    return pids


async def refusal(content: bytes, folder: Path) -> str:
    broken = folder / "broken.gguf"
    broken.write_bytes(content)
    before = children()
    with pytest.raises(EngineFailedError, match=r"broken\.gguf") as caught:
        await try_out(broken, LIMIT_S)
    assert children() == before
    return caught.value.message


def with_values(tensor: str, count: int, value: float) -> Callable[[bytes], bytes]:
    """The last of a tensor's values, which are 32-bit numbers, are other ones."""

    def damage(content: bytes) -> bytes:
        header = read_header(tiny_model())
        last = header.tensors[-1]
        data_begins = header.file_bytes - last.offset - (last.size_bytes or 0)
        (changed,) = (each for each in header.tensors if each.name == tensor)
        end = data_begins + changed.offset + (changed.size_bytes or 0)
        return content[: end - 4 * count] + struct.pack("<f", value) * count + content[end:]

    return damage


async def test_a_good_file_passes_and_leaves_nothing_behind() -> None:
    before = children()
    await try_out(tiny_model(), LIMIT_S)
    assert children() == before


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda content: b"", "it is not in the GGUF format"),
        (lambda content: b"FUGG" + content[4:], "it is not in the GGUF format"),
        (lambda content: content[: len(content) // 2], f"the file is cut short: {1_185_376 // 2} bytes are missing"),
        (lambda content: content[:8] + (2**62).to_bytes(8, "little") + content[16:], f"{2**62} tensors"),
    ],
)
async def test_what_its_header_shows_is_said(damage: Callable[[bytes], bytes], sentence: str, tmp_path: Path) -> None:
    assert sentence in await refusal(damage(tiny_model().read_bytes()), tmp_path)


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content.replace(b"<0x85>", b"<0x84>", 1),  # a token twice: llama.cpp aborts as it loads
        lambda content: content.replace(b"<0x85>", b"<0y85>", 1),  # and without it over the first text with that byte
        lambda content: content.replace(b"<0x85>", b"<0x\xff5>", 1),
    ],
)
async def test_a_file_that_kills_llama_cpp_kills_another_process(
    damage: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    content = damage(tiny_model().read_bytes())
    assert "llama.cpp dies over" in await refusal(content, tmp_path)
    assert read_header(tmp_path / "broken.gguf") == read_header(tiny_model())  # its header shows nothing of that


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        # Of a token that the trial does not come upon: what it looks for itself.
        (with_values("token_embd.weight", 1, float("nan")), "found tensors with invalid data"),
        (with_values("output_norm.weight", 64, 3e38), "what it computes are no numbers"),
        (lambda content: content.replace(b"blk.0.attn_q", b"blk.0.attn_x"), "not found"),
    ],
)
async def test_what_llama_cpp_shows_is_said(damage: Callable[[bytes], bytes], sentence: str, tmp_path: Path) -> None:
    assert sentence in await refusal(damage(tiny_model().read_bytes()), tmp_path)


async def test_a_chat_template_of_ones_own_is_tried_with_the_file(tmp_path: Path) -> None:
    template = tmp_path / "own.jinja"
    template.write_text("{% for message in messages %}{{ message.content }}{% endfor %}")
    await try_out(tiny_model(), LIMIT_S, template)
    template.write_text("{% for message in %}")
    with pytest.raises(EngineFailedError, match="chat template is broken"):
        await try_out(tiny_model(), LIMIT_S, template)


async def test_a_trial_without_end_is_ended(tmp_path: Path) -> None:
    template = tmp_path / "endless.jinja"
    template.write_text(ENDLESS)
    before = children()
    with pytest.raises(EngineFailedError, match="does not come to an end"):
        await try_out(tiny_model(), 1.0, template)
    assert children() == before


async def test_a_trial_whose_parent_is_killed_ends_by_itself(tmp_path: Path) -> None:
    template = tmp_path / "endless.jinja"
    template.write_text(ENDLESS)
    arguments = ("-m", "services.llm.model_trial_process", str(tiny_model()), "1", str(template))
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, stderr=asyncio.subprocess.DEVNULL)
    async with asyncio.timeout(LIMIT_S):
        assert await process.wait() == 1


async def test_a_trial_that_nobody_waits_for_is_ended(tmp_path: Path) -> None:
    template = tmp_path / "endless.jinja"
    template.write_text(ENDLESS)
    before = children()
    trial = asyncio.create_task(try_out(tiny_model(), LIMIT_S, template))
    await wait_until(lambda: children() > before, "the process that tries it")
    trial.cancel()
    await asyncio.wait([trial])
    assert trial.cancelled()
    assert children() == before


async def test_a_word_as_long_as_a_request_may_be_ends_no_process(tmp_path: Path) -> None:
    """This way of splitting text recurses at every character; with the usual stack it ends the process."""
    path = tmp_path / "recursive.gguf"
    content = ModelStore(default_models_dir()).path(small_model()).read_bytes()
    at = content.index(b"smollm", content.index(b"tokenizer.ggml.pre"))  # how its vocabulary splits text
    path.write_bytes(content[:at] + b"tekken" + content[at + 6 :])
    await try_out(path, LIMIT_S)
    async with llama_engine(path, TINY) as engine:
        with pytest.raises(InvalidInputError, match="too long"):
            await collect(engine.generate(generation("a" * 100_000)))


async def test_a_gpu_is_asked_for_before_anything_is_read(tmp_path: Path) -> None:
    if llama_cpp.llama_supports_gpu_offload():
        pytest.skip("this llama.cpp can use a GPU")
    with pytest.raises(EngineFailedError, match="built without a GPU"):
        await try_out(tiny_model(), LIMIT_S, needs_gpu=True)
