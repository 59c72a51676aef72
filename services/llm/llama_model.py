"""A GGUF model in llama.cpp, blocking, for one thread. The only user of its library.

llama.cpp ends the whole process over some broken files, and over some of its own builds. So a process of its own tries
a file first: `python -m services.llm.llama_model FILE`.
"""

import ctypes
import logging
import os
import re
import sys
import threading
from collections import deque
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

# Read by GCC's OpenMP as it is loaded with llama.cpp. Its threads wait for each other some hundred times a token; by
# default they spin so long that one busy core, which the ears and the mouth often make, costs 30 times the speed
# (88 -> 2.6 tokens/s on two cores). Spinning this briefly: 75 and 30.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")

import llama_cpp
import numpy as np
from jinja2 import TemplateError
from llama_cpp import llama_chat_format

from services.common.errors import EngineFailedError, InvalidInputError
from services.llm.engine import ChatMessage, Role, Sampling

_log = logging.getLogger(__name__)

# ggml's log levels; those below are a flood, and CONT (5) continues the line before.
_WARN, _ERROR = 3, 4
_complaints: deque[str] = deque(maxlen=1)  # of the library, which has one log for the whole process
# 2**32 - 1 means "at random" to llama.cpp.
_RANDOM_SEED = llama_cpp.LLAMA_DEFAULT_SEED
_LONGEST_PIECE_BYTES = 512


@llama_cpp.llama_log_callback  # type: ignore[untyped-decorator]  # made by ctypes
def _on_log(level: int, text: bytes, _user_data: object) -> None:
    if level in {_WARN, _ERROR}:
        line = text.decode(errors="replace").strip()
        _log.debug("llama.cpp: %s", line)
        if level == _ERROR:
            _complaints.append(line)


@dataclass(frozen=True)
class LlamaOptions:
    """How a model is run."""

    context_tokens: int
    batch_tokens: int
    threads: int
    gpu_layers: int


class LlamaModel:
    """One model with one context. What it read last stays in the context, so a longer prompt goes on from there."""

    def __init__(self, path: Path, options: LlamaOptions) -> None:
        llama_cpp.llama_log_set(_on_log, ctypes.c_void_p(0))
        _complaints.clear()
        try:
            self._llama = llama_cpp.Llama(
                str(path),
                n_ctx=options.context_tokens,
                n_batch=options.batch_tokens,
                n_threads=options.threads,
                n_threads_batch=options.threads,
                n_gpu_layers=options.gpu_layers,
                verbose=False,
            )
        except (ValueError, OSError) as error:
            why = _complaints[-1] if _complaints else str(error)
            raise EngineFailedError(f"llama.cpp cannot load {path}: {why}") from error
        self._batch_tokens = options.batch_tokens
        self._vocab = llama_cpp.llama_model_get_vocab(self._llama.model)
        self._piece_buffer = ctypes.create_string_buffer(_LONGEST_PIECE_BYTES)
        self._format = self._chat_format()
        self._control_text = self._control_text_pattern()
        # Beyond what it was trained on a model babbles.
        self.context_tokens: int = min(self._llama.n_ctx(), llama_cpp.llama_model_n_ctx_train(self._llama.model))

    def tokenize(self, messages: Sequence[ChatMessage]) -> list[int]:
        """The conversation as the model's own chat template writes it, up to where the reply begins."""
        quoted = [{"role": str(message.role), "content": self._quote(message.content)} for message in messages]
        try:
            text = self._format(messages=quoted).prompt  # type: ignore[arg-type]  # wants a type a role
        except (TemplateError, ValueError) as error:
            raise InvalidInputError("messages", f"the model's chat template refuses them ({error})") from error
        tokens: list[int] = self._llama.tokenize(text.encode(), add_bos=False, special=True)
        begin = self._llama.token_bos()
        if llama_cpp.llama_vocab_get_add_bos(self._vocab) and tokens[:1] != [begin]:
            tokens.insert(0, begin)
        return tokens

    def read(self, prompt: Sequence[int], stopped: threading.Event) -> int:
        """Reads the prompt but for its last slice, which `write` reads; returns how many tokens were known already."""
        known = self._keep_common_prefix(prompt)
        while len(prompt) - self._llama.n_tokens > self._batch_tokens and not stopped.is_set():
            at = self._llama.n_tokens
            self._llama.eval(prompt[at : at + self._batch_tokens])
        return known

    def write(self, prompt: Sequence[int], sampling: Sampling) -> Generator[int, None, None]:
        """Token after token, until the model is done. Its caller counts, and ends it in time."""
        # The library's own random seed is the highest one: no other may become it.
        self._llama.set_seed(_RANDOM_SEED if sampling.seed is None else sampling.seed % _RANDOM_SEED)
        tokens = self._llama.generate(
            prompt,
            temp=sampling.temperature,
            top_p=sampling.top_p,
            top_k=sampling.top_k,
            min_p=sampling.min_p,
            repeat_penalty=sampling.repeat_penalty,
        )
        for token in tokens:
            if llama_cpp.llama_vocab_is_eog(self._vocab, token):
                return
            yield token

    def forget(self) -> None:
        """The next prompt is read from its first token."""
        self._llama.reset()  # type: ignore[no-untyped-call]

    def piece(self, token: int) -> bytes:
        """The token's bytes; a part of a character at times, and nothing for a control token."""
        size = llama_cpp.llama_token_to_piece(self._vocab, token, self._piece_buffer, _LONGEST_PIECE_BYTES, 0, False)
        return self._piece_buffer.raw[: max(size, 0)]

    def close(self) -> None:
        """Frees the model."""
        self._llama.close()

    def _keep_common_prefix(self, prompt: Sequence[int]) -> int:
        """Cuts what is in the context to what the prompt begins with. Its last token is always read, for its logits."""
        llama = self._llama
        count = min(llama.n_tokens, len(prompt) - 1)
        differs = np.flatnonzero(llama.input_ids[:count] != np.asarray(prompt[:count]))
        common = int(differs[0]) if differs.size else count
        if not llama_cpp.llama_memory_seq_rm(llama_cpp.llama_get_memory(llama.ctx), 0, common, -1):
            self.forget()  # the memory of this kind of model cannot be cut
            return 0
        llama.n_tokens = common
        return common

    def _chat_format(self) -> llama_chat_format.Jinja2ChatFormatter:
        """The template in the file; ChatML where there is none, as llama.cpp itself does."""
        return llama_chat_format.Jinja2ChatFormatter(
            template=self._llama.metadata.get("tokenizer.chat_template", llama_chat_format.CHATML_CHAT_TEMPLATE),
            eos_token=self._token_text(self._llama.token_eos()),
            bos_token=self._token_text(self._llama.token_bos()),
        )

    def _control_text_pattern(self) -> re.Pattern[str]:
        """Finds what only the template may write, such as the mark at which a message ends."""
        control = llama_cpp.LLAMA_TOKEN_ATTR_CONTROL
        texts = [
            self._token_text(token)
            for token in range(self._llama.n_vocab())
            if llama_cpp.llama_vocab_get_attr(self._vocab, token) & control
        ]
        return re.compile("|".join(re.escape(text) for text in texts if len(text) > 1) or r"(?!)")

    def _quote(self, content: str) -> str:
        """The text without control tokens, so that nobody's words end a message or begin another one's."""
        return self._control_text.sub(lambda found: f"{found[0][0]} {found[0][1:]}", content)

    def _token_text(self, token: int) -> str:
        text: bytes = llama_cpp.llama_vocab_get_text(self._vocab, token) if token >= 0 else b""
        return text.decode(errors="replace")


def main(path: Path) -> int:
    """Loads the file, reads a prompt in one batch and writes some tokens: 0 where llama.cpp lives through that."""
    try:
        model = LlamaModel(path, LlamaOptions(context_tokens=256, batch_tokens=64, threads=1, gpu_layers=0))
        prompt = model.tokenize([ChatMessage(Role.USER, "Hello")])[-model.context_tokens // 2 :]
        sampling = Sampling(temperature=0, top_p=1, top_k=0, min_p=0, repeat_penalty=1, max_tokens=2)
        model.read(prompt, threading.Event())
        for _, token in zip(range(sampling.max_tokens), model.write(prompt, sampling), strict=False):
            model.piece(token)
    except Exception as error:  # noqa: BLE001  # whatever it is, the parent process wants its sentence
        sys.stdout.write(str(error) or type(error).__name__)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
