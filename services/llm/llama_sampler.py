"""Chooses the next token of one reply, in llama.cpp. Blocking."""

import ctypes
import weakref

import numpy as np
import numpy.typing as npt

from services.common.errors import InvalidInputError, UnusableAnswerError
from services.llm.engine import Sampling
from services.llm.llama_context import LlamaContext
from services.llm.llama_library import llama_cpp, take_complaint
from services.llm.llama_model import LlamaModel

# What was written last is made unlikelier, this far back, as llama.cpp's own programs do. They count the prompt too;
# then a question's words are missing in its answer: a small model sooner changes the language than says "France".
_PENALTY_TOKENS = 64
# 2**32 - 1 means "at random" to llama.cpp: no other seed may become it.
_RANDOM_SEED = llama_cpp.LLAMA_DEFAULT_SEED
# Below it logits become infinite, and the coldest temperature the wildest.
_COLDEST = 1e-3
_CANDIDATE = np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)])


class LlamaSampler:
    """One for a reply. Freed with the last one who holds it."""

    def __init__(self, model: LlamaModel, sampling: Sampling, grammar: str = "") -> None:
        """`grammar` in GBNF, empty for none; InvalidInputError where llama.cpp cannot read it."""
        self._model = model
        self._chain = llama_cpp.llama_sampler_chain_init(llama_cpp.llama_sampler_chain_default_params())
        weakref.finalize(self, llama_cpp.llama_sampler_free, self._chain)
        for part in _parts(sampling, model.vocabulary_size):
            llama_cpp.llama_sampler_chain_add(self._chain, part)
        self._grammar = self._read(grammar) if grammar else None

    def next_token(self, context: LlamaContext, place: int) -> int:
        """The token after the one at this place of the context's batch. UnusableAnswerError at a grammar's dead end."""
        if self._grammar is None:
            token: int = llama_cpp.llama_sampler_sample(self._chain, context.handle, place)
            return token
        return self._next_allowed(context, place)

    def _next_allowed(self, context: LlamaContext, place: int) -> int:
        """Most of the time the token chosen freely is allowed; only else each of the vocabulary is looked at."""
        logits = np.ctypeslib.as_array(
            llama_cpp.llama_get_logits_ith(context.handle, place), (self._model.vocabulary_size,)
        )
        token = self._choose(_candidates(logits))
        if not self._allows(token):
            candidates = _candidates(logits)
            self._apply(self._grammar, candidates)
            if not np.isfinite(candidates["logit"]).any():
                # llama.cpp would abort the process over any token now.
                raise UnusableAnswerError("the grammar leads to where nothing may follow")
            token = self._choose(candidates)
        llama_cpp.llama_sampler_accept(self._grammar, token)
        llama_cpp.llama_sampler_accept(self._chain, token)
        return token

    def _allows(self, token: int) -> bool:
        only = np.array([(token, 1.0, 0.0)], _CANDIDATE)
        self._apply(self._grammar, only)
        return bool(np.isfinite(only["logit"][0]))

    def _choose(self, candidates: npt.NDArray[np.void]) -> int:
        """The token that the chain selects; it sorts and shortens what it is given."""
        chosen = self._apply(self._chain, candidates)
        if chosen.selected < 0 or not np.isfinite(chosen.data[chosen.selected].logit):
            raise UnusableAnswerError("llama.cpp chose no token that it may")
        return int(chosen.data[chosen.selected].id)

    def _apply(self, sampler: object, candidates: npt.NDArray[np.void]) -> "llama_cpp.llama_token_data_array":
        data = candidates.ctypes.data_as(ctypes.POINTER(llama_cpp.llama_token_data))
        array = llama_cpp.llama_token_data_array(data=data, size=len(candidates), selected=-1, sorted=False)
        llama_cpp.llama_sampler_apply(sampler, ctypes.byref(array))
        return array

    def _read(self, grammar: str) -> object:
        sampler = llama_cpp.llama_sampler_init_grammar(self._model.vocabulary, grammar.encode(), b"root")
        if not sampler:
            raise InvalidInputError("response_format", f"llama.cpp cannot read the grammar: {take_complaint('')}")
        weakref.finalize(self, llama_cpp.llama_sampler_free, sampler)
        return sampler


def _candidates(logits: npt.NDArray[np.float32]) -> npt.NDArray[np.void]:
    candidates = np.zeros(len(logits), _CANDIDATE)
    candidates["id"] = np.arange(len(logits), dtype=np.int32)
    candidates["logit"] = logits
    return candidates


def _parts(sampling: Sampling, vocabulary_size: int) -> list[object]:
    """The order is llama.cpp's own: penalties, then fewer and fewer tokens, then one of them by chance."""
    parts = [
        llama_cpp.llama_sampler_init_penalties(vocabulary_size, _PENALTY_TOKENS, sampling.repeat_penalty, 0.0, 0.0)
    ]
    if sampling.temperature < _COLDEST:
        return [*parts, llama_cpp.llama_sampler_init_greedy()]
    seed = _RANDOM_SEED if sampling.seed is None else sampling.seed % _RANDOM_SEED
    return [
        *parts,
        llama_cpp.llama_sampler_init_top_k(sampling.top_k),
        llama_cpp.llama_sampler_init_top_p(sampling.top_p, 1),
        llama_cpp.llama_sampler_init_min_p(sampling.min_p, 1),
        llama_cpp.llama_sampler_init_temp(sampling.temperature),
        llama_cpp.llama_sampler_init_dist(seed),
    ]
