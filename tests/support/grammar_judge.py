"""llama.cpp's own judgement of grammars."""

import ctypes
from typing import Any

import llama_cpp

from tests.support.llm import tiny_model


class Judge:
    """llama.cpp itself, which says what a grammar lets through."""

    def __init__(self) -> None:
        llama_cpp.llama_log_set(_quiet, ctypes.c_void_p(0))
        options = llama_cpp.llama_model_default_params()
        options.vocab_only = True
        self._model = llama_cpp.llama_model_load_from_file(str(tiny_model()).encode(), options)
        self._vocab = llama_cpp.llama_model_get_vocab(self._model)

    def lets_through(self, grammar: str, text: str) -> bool:
        """Whether the text is a whole one of the grammar."""
        sampler = llama_cpp.llama_sampler_init_grammar(self._vocab, grammar.encode(), b"root")
        assert sampler, "llama.cpp does not take the grammar"
        try:
            # The first of this vocabulary's tokens are three marks, then one a byte.
            tokens = [3 + byte for byte in text.encode()]
            end = llama_cpp.llama_vocab_eos(self._vocab)
            return all(self._take(sampler, token) for token in tokens) and self._allows(sampler, end)
        finally:
            llama_cpp.llama_sampler_free(sampler)

    def close(self) -> None:
        llama_cpp.llama_model_free(self._model)

    def _allows(self, sampler: Any, token: int) -> bool:
        entry = llama_cpp.llama_token_data(token, 0.0, 0.0)
        only = llama_cpp.llama_token_data_array((llama_cpp.llama_token_data * 1)(entry), 1, -1, False)
        llama_cpp.llama_sampler_apply(sampler, ctypes.byref(only))
        return bool(only.data[0].logit == 0.0)

    def _take(self, sampler: Any, token: int) -> bool:
        if not self._allows(sampler, token):
            return False  # accepting it would end the process
        llama_cpp.llama_sampler_accept(sampler, token)
        return True


@llama_cpp.llama_log_callback  # type: ignore[untyped-decorator]  # made by ctypes
def _quiet(_level: int, _text: bytes, _user_data: object) -> None:
    """Its log is not what is tested."""
