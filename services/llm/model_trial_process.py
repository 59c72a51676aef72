"""The process that tries a model: `python -m services.llm.model_trial_process FILE SECONDS [CHAT_TEMPLATE] [gpu]`.

It does once, with a little memory and on the CPU, all that the engine will do with the file: 0 where it lives through
that, else it says why not. After so many seconds it ends, whether its parent lives or not.
"""

import faulthandler
import os
import sys
import threading
from pathlib import Path

import numpy as np

from services.common.errors import EngineFailedError
from services.llm.batching import Feed, Job, Step
from services.llm.engine import ChatMessage, Role
from services.llm.llama_context import LlamaContext
from services.llm.llama_library import llama_cpp, take_complaint
from services.llm.llama_model import LlamaModel, check_gpu_build
from services.llm.llama_options import READING_STACK_BYTES, LlamaOptions

# The last of the prompt: a CPU reads ten tokens of a large model in a second.
_READ_TOKENS = 8
_WRITTEN_TOKENS = 3
# Every byte that UTF-8 knows, mostly in characters that are no token of their own. A vocabulary of bytes that lacks
# one of them ends the process when somebody says such a character.
_EVERY_BYTE = "".join(map(chr, [*range(1, 0x800), *range(0x1000, 0xD800, 0x800), *range(0x10000, 0x110000, 0x8000)]))
# The longest text of a request in one piece: for some vocabularies of this kind llama.cpp recurses at every character.
_LONG_WORDS = "a!0漢 "
_LONG_WORD_CHARACTERS = 100_000


def main(path: str, limit_s: str, chat_template: str = "", needs: str = "") -> int:
    """Tries the model; what is wrong with it goes to the standard output."""
    faulthandler.dump_traceback_later(float(limit_s), exit=True)
    template = Path(chat_template) if chat_template else None
    try:
        if needs == "gpu":
            check_gpu_build()
        _check_weights(path)
        options = LlamaOptions(256, batch_tokens=_READ_TOKENS, threads=_threads(), chat_template=template)
        model = LlamaModel(Path(path), options)
        _write(model, LlamaContext(model, options), _read(model))
    except Exception as error:  # noqa: BLE001  # whatever it is, the parent process wants its sentence
        sys.stdout.write(str(error) or type(error).__name__)
        return 1
    return 0


def _threads() -> int:
    """Half of those that there are: the services run already, and two on one core only take turns."""
    return max(1, (os.cpu_count() or 1) // 2)


def _check_weights(path: str) -> None:
    """Has llama.cpp look for numbers that are none, which one pass over the file shows."""
    params = llama_cpp.llama_model_default_params()
    params.n_gpu_layers = 0
    params.check_tensors = True
    params.use_extra_bufts = False  # weights rearranged for this processor would be a copy of them all
    handle = llama_cpp.llama_model_load_from_file(path.encode(), params)
    if not handle:
        raise EngineFailedError(take_complaint("llama.cpp does not say why"))
    llama_cpp.llama_model_free(handle)


def _read(model: LlamaModel) -> list[int]:
    """Has every token and every character looked up; the last tokens of a prompt."""
    for token in range(model.vocabulary_size):
        model.piece(token)
    if llama_cpp.llama_vocab_type(model.vocabulary) == llama_cpp.LLAMA_VOCAB_TYPE_BPE:
        for character in _LONG_WORDS:
            model.tokenize(character * _LONG_WORD_CHARACTERS)
    prompt = model.prompt([ChatMessage(Role.USER, _EVERY_BYTE)], (), thinking=False)
    return model.tokenize(prompt)[-_READ_TOKENS:]


def _write(model: LlamaModel, context: LlamaContext, tokens: list[int]) -> None:
    if not tokens:
        raise EngineFailedError("its chat template or its vocabulary makes nothing of a conversation")
    job = Job("", tokens)
    position = 0
    for _ in range(_WRITTEN_TOKENS):
        feed = Feed(job, 0, position, tuple(tokens), asks=True)
        place = context.run(Step((), (feed,)))[feed]
        found = llama_cpp.llama_get_logits_ith(context.handle, place)
        logits = np.ctypeslib.as_array(found, (model.vocabulary_size,))
        if not np.isfinite(logits).all():
            raise EngineFailedError("what it computes are no numbers")
        position, tokens = position + len(tokens), [int(logits.argmax())]


def _main_with_the_engines_stack() -> int:
    ended: list[int] = []
    threading.stack_size(READING_STACK_BYTES)
    thread = threading.Thread(target=lambda: ended.append(main(*sys.argv[1:])))
    thread.start()
    thread.join()
    return ended[0] if ended else 1


if __name__ == "__main__":
    sys.exit(_main_with_the_engines_stack())
