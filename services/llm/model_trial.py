"""A model file is first tried in a process of its own: llama.cpp does not raise over each bad one, it also aborts.

Nothing of llama.cpp is imported here, for a library built for another processor ends whoever imports it.
"""

import asyncio
import os
import signal
import sys
from importlib.util import find_spec
from pathlib import Path

from services.common.errors import EngineFailedError
from services.llm.gguf import read_header

_PROCESS = "services.llm.model_trial_process"
_LONGEST_REASON = 500
_GRACE_S = 5.0  # after which the process ends itself, should nobody be left to end it


async def try_out(path: Path, limit_s: float, chat_template: Path | None = None, *, needs_gpu: bool = False) -> None:
    """Returns where the model can be used, or raises an EngineFailedError that says why it cannot.

    `chat_template` stands in for the file's own. `needs_gpu`: a library built without a GPU is no use. The trial runs
    on the CPU, for the card may have no room twice, and takes about as long as to load the file twice and to read ten
    tokens.
    """
    if find_spec("llama_cpp") is None:
        raise EngineFailedError("llama-cpp-python is not installed: pip install 'superwhisper[llm]'")
    try:
        async with asyncio.timeout(limit_s):
            await asyncio.to_thread(read_header, path)
            await _run(path, str(path), str(limit_s + _GRACE_S), str(chat_template or ""), "gpu" if needs_gpu else "")
    except TimeoutError as error:
        raise EngineFailedError(f"llama.cpp does not come to an end with {path} within {limit_s:g} s") from error


async def _run(path: Path, *arguments: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", _PROCESS, *arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
    )
    try:
        said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode and process.returncode < 0:
        raise EngineFailedError(f"llama.cpp dies over {path} ({signal.Signals(-process.returncode).name})")
    if process.returncode:
        why = said.decode(errors="replace")[:_LONGEST_REASON] or "it does not say why"
        raise EngineFailedError(f"{path} is no model that can be used: {why}")
