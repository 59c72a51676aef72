"""A GGUF model in llama.cpp: its weights, its vocabulary and its chat template. Blocking."""

import ctypes
import re
from collections.abc import Sequence
from pathlib import Path

from services.common.errors import EngineFailedError, ModelError
from services.llm.chat_template import ChatTemplate
from services.llm.engine import ChatMessage, Tool
from services.llm.llama_library import llama_cpp, take_complaint
from services.llm.llama_options import LlamaOptions
from services.llm.think import THINK_MARKS

_LONGEST_PIECE_BYTES = 512
_LONGEST_METADATA_BYTES = 128
# What llama.cpp itself uses where a file has no template.
_CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


class LlamaModel:
    """One model. Contexts and samplers hold on to it."""

    def __init__(self, path: Path, options: LlamaOptions) -> None:
        if options.gpu_layers:
            check_gpu_build()
        self.handle = llama_cpp.llama_model_load_from_file(str(path).encode(), _model_params(options))
        if not self.handle:
            raise EngineFailedError(f"llama.cpp cannot load {path}: {take_complaint('it does not say why')}")
        self.vocabulary = llama_cpp.llama_model_get_vocab(self.handle)
        self.vocabulary_size: int = llama_cpp.llama_vocab_n_tokens(self.vocabulary)
        # Beyond what it was trained on a model babbles.
        trained_tokens: int = llama_cpp.llama_model_n_ctx_train(self.handle)
        self.context_tokens: int = min(options.context_tokens, trained_tokens)
        source = self._template_source(options.chat_template)
        self._piece_buffer = ctypes.create_string_buffer(_LONGEST_PIECE_BYTES)
        control = self._control_tokens(source)
        self._control_text = _any_of([text for text in control.values() if len(text) > 1])
        self.template = ChatTemplate(source, self._special("bos"), self._special("eos"), quote=self._quote)
        marks = {*THINK_MARKS, *(self.template.dialect.marks if self.template.dialect else ())}
        self._shown = {token for token, text in control.items() if text in marks}

    @property
    def can_cut(self) -> bool:
        """Whether its memory can forget the last of what it read. A recurrent model's is one state for all."""
        recurrent = llama_cpp.llama_model_is_recurrent(self.handle) or llama_cpp.llama_model_is_hybrid(self.handle)
        return not recurrent

    @property
    def head_size(self) -> int:
        """How many values a head keeps of a token."""
        named = self._metadata(f"{self._metadata('general.architecture')}.attention.key_length")
        heads = max(1, llama_cpp.llama_model_n_head(self.handle))
        return int(named) if named else llama_cpp.llama_model_n_embd(self.handle) // heads

    def prompt(self, messages: Sequence[ChatMessage], tools: Sequence[Tool], *, thinking: bool) -> str:
        """The conversation as the model's chat template writes it, up to where the reply begins.

        InvalidInputError where the template refuses it.
        """
        return self.template.render(messages, tools, thinking=thinking)

    def tokenize(self, text: str) -> list[int]:
        """The tokens of a prompt, control tokens among them."""
        content = text.encode()
        room = len(content) + 1  # a token is a byte or more, but for vocabularies without one for space
        read = self._tokens(content, room)
        if isinstance(read, int):
            read = self._tokens(content, read)
        if isinstance(read, int):
            raise EngineFailedError("llama.cpp cannot read the prompt")
        begin = llama_cpp.llama_vocab_bos(self.vocabulary)
        if llama_cpp.llama_vocab_get_add_bos(self.vocabulary) and read[:1] != [begin]:
            read.insert(0, begin)
        return read

    def _tokens(self, content: bytes, room: int) -> list[int] | int:
        """The tokens, or how many there are if there is no room for them."""
        tokens = (llama_cpp.llama_token * room)()
        count: int = llama_cpp.llama_tokenize(self.vocabulary, content, len(content), tokens, room, False, True)
        return tokens[:count] if count >= 0 else -count

    def is_end(self, token: int) -> bool:
        """Whether the reply ends with it."""
        return bool(llama_cpp.llama_vocab_is_eog(self.vocabulary, token))

    def piece(self, token: int) -> bytes:
        """The token's bytes; a part of a character at times, and nothing for a control token that says nothing."""
        buffer, room = self._piece_buffer, _LONGEST_PIECE_BYTES
        size = llama_cpp.llama_token_to_piece(self.vocabulary, token, buffer, room, 0, token in self._shown)
        return buffer.raw[: max(size, 0)]

    def close(self) -> None:
        """Frees it. Its contexts must be closed."""
        llama_cpp.llama_model_free(self.handle)

    def _template_source(self, own: Path | None) -> str:
        if own is not None:
            try:
                return own.expanduser().read_text(encoding="utf-8")
            except (OSError, ValueError) as error:
                raise ModelError(f"the chat template {own} cannot be read: {error}") from error
        named: bytes | None = llama_cpp.llama_model_chat_template(self.handle, None)
        return named.decode(errors="replace") if named else _CHATML

    def _metadata(self, key: str) -> str:
        buffer = ctypes.create_string_buffer(_LONGEST_METADATA_BYTES)
        size = llama_cpp.llama_model_meta_val_str(self.handle, key.encode(), buffer, _LONGEST_METADATA_BYTES)
        return buffer.value.decode(errors="replace") if size > 0 else ""

    def _special(self, name: str) -> str:
        token: int = getattr(llama_cpp, f"llama_vocab_{name}")(self.vocabulary)
        return self._text(token) if token >= 0 else ""

    def _text(self, token: int) -> str:
        text: bytes = llama_cpp.llama_vocab_get_text(self.vocabulary, token)
        return text.decode(errors="replace")

    def _control_tokens(self, template: str) -> dict[int, str]:
        """What only the template may write, such as the mark at which a message ends.

        Some files have these among the tokens of their users, which are read in any text as well.
        """
        control, users = llama_cpp.LLAMA_TOKEN_ATTR_CONTROL, llama_cpp.LLAMA_TOKEN_ATTR_USER_DEFINED
        tokens = {}
        for token in range(self.vocabulary_size):
            kind = llama_cpp.llama_vocab_get_attr(self.vocabulary, token)
            if kind & (control | users) and ((text := self._text(token)) in template or kind & control):
                tokens[token] = text
        return tokens

    def _quote(self, content: str) -> str:
        """The text without control tokens, so that nobody's words end a message or begin another one's."""
        return self._control_text.sub(lambda found: f"{found[0][0]} {found[0][1:]}", content)


def check_gpu_build() -> None:
    """EngineFailedError where this llama.cpp cannot use a graphics card."""
    if not llama_cpp.llama_supports_gpu_offload():
        raise EngineFailedError(
            "this llama.cpp was built without a GPU: CMAKE_ARGS=-DGGML_CUDA=on make setup builds it with CUDA"
        )


def _any_of(texts: Sequence[str]) -> re.Pattern[str]:
    return re.compile("|".join(re.escape(text) for text in texts) or r"(?!)")


def _model_params(options: LlamaOptions) -> "llama_cpp.llama_model_params":
    params: llama_cpp.llama_model_params = llama_cpp.llama_model_default_params()
    params.n_gpu_layers = options.gpu_layers
    params.load_mode = llama_cpp.LLAMA_LOAD_MODE_MMAP if options.mmap else llama_cpp.LLAMA_LOAD_MODE_NONE
    return params
