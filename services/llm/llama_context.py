"""The memory of a llama.cpp model: sequences of tokens that it read, and what it makes of the next ones. Blocking."""

import ctypes
import logging
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from services.common.errors import EngineFailedError
from services.llm.batching import Copy, Cut, Feed, Step
from services.llm.llama_library import llama_cpp, take_complaint
from services.llm.llama_model import LlamaModel
from services.llm.llama_options import KvType, LlamaOptions

_log = logging.getLogger(__name__)
_KV_TYPES: dict[KvType, int] = {
    "f16": llama_cpp.GGML_TYPE_F16,
    "q8_0": llama_cpp.GGML_TYPE_Q8_0,
    "q4_0": llama_cpp.GGML_TYPE_Q4_0,
}
_QUANTIZED_BLOCK = 32  # values that ggml quantizes together


class LlamaContext:
    """One for a model. Each sequence has a memory of its own, so that what the others do changes nothing for it."""

    def __init__(self, model: LlamaModel, options: LlamaOptions) -> None:
        self._context = llama_cpp.llama_init_from_model(model.handle, _context_params(model, options))
        if not self._context:
            why = take_complaint("there is not memory enough, or it is no model that writes")
            raise EngineFailedError(f"llama.cpp cannot make a context: {why}")
        self._memory = llama_cpp.llama_get_memory(self._context)
        self._batch = _Batch(options.batch_tokens)

    @property
    def handle(self) -> object:
        """As llama.cpp's functions take it."""
        return self._context

    def run(self, step: Step) -> dict[Feed, int]:
        """Does the step. What comes after a feed that asks can then be sampled at the place in the batch given here.

        EngineFailedError leaves the memory of the step's sequences unknown.
        """
        for change in step.changes:
            self._change(change)
        places = self._batch.fill(step.feeds)
        if code := llama_cpp.llama_decode(self._context, self._batch.handle):
            raise EngineFailedError(f"llama.cpp cannot go on ({code}): {take_complaint('it does not say why')}")
        return places

    def close(self) -> None:
        """Frees it."""
        llama_cpp.llama_free(self._context)

    def _change(self, change: Copy | Cut) -> None:
        if isinstance(change, Copy):
            llama_cpp.llama_memory_seq_cp(self._memory, change.source, change.target, -1, -1)
        elif not llama_cpp.llama_memory_seq_rm(self._memory, change.sequence, change.length, -1):
            raise EngineFailedError(f"llama.cpp cannot cut sequence {change.sequence} to {change.length} tokens")


class _Batch:
    """Room for the tokens of a step, in the form that llama.cpp reads."""

    def __init__(self, tokens: int) -> None:
        self._token: npt.NDArray[np.int32] = np.zeros(tokens, np.int32)
        self._position: npt.NDArray[np.int32] = np.zeros(tokens, np.int32)
        self._sequence: npt.NDArray[np.int32] = np.zeros(tokens, np.int32)
        self._sequences_each: npt.NDArray[np.int32] = np.ones(tokens, np.int32)
        self._wanted: npt.NDArray[np.int8] = np.zeros(tokens, np.int8)
        first = self._sequence.ctypes.data
        width = self._sequence.itemsize
        sequence = ctypes.POINTER(llama_cpp.llama_seq_id)
        self._pointers = (sequence * tokens)(*(ctypes.cast(first + at * width, sequence) for at in range(tokens)))
        self.handle = llama_cpp.llama_batch(
            n_tokens=0,
            token=_pointer(self._token, ctypes.c_int32),
            pos=_pointer(self._position, ctypes.c_int32),
            n_seq_id=_pointer(self._sequences_each, ctypes.c_int32),
            seq_id=ctypes.cast(self._pointers, ctypes.POINTER(sequence)),
            logits=_pointer(self._wanted, ctypes.c_int8),
        )

    def fill(self, feeds: Iterable[Feed]) -> dict[Feed, int]:
        """Takes the tokens in; tells where the last one of each feed that asks is."""
        at, places = 0, {}
        self._wanted[:] = 0
        for feed in feeds:
            end = at + len(feed.tokens)
            self._token[at:end] = feed.tokens
            self._position[at:end] = np.arange(feed.position, feed.position + len(feed.tokens))
            self._sequence[at:end] = feed.sequence
            if feed.asks:
                self._wanted[end - 1] = 1
                places[feed] = end - 1
            at = end
        self.handle.n_tokens = at
        return places


def _pointer(array: npt.NDArray[np.generic], kind: type) -> object:
    return array.ctypes.data_as(ctypes.POINTER(kind))


def _context_params(model: LlamaModel, options: LlamaOptions) -> "llama_cpp.llama_context_params":
    kv_type = options.kv_type
    if kv_type != "f16" and model.head_size % _QUANTIZED_BLOCK:
        _log.warning("kv_type f16 instead of %s: the model's heads keep %d values", kv_type, model.head_size)
        kv_type = "f16"
    params: llama_cpp.llama_context_params = llama_cpp.llama_context_default_params()
    params.n_ctx = model.context_tokens * options.sequences
    params.n_seq_max = options.sequences
    params.kv_unified = False  # each sequence has its own stretch of memory
    params.n_batch = params.n_ubatch = options.batch_tokens
    params.n_outputs_max = options.sequences  # none is asked for more than one; the room is reserved on the card
    params.n_threads = params.n_threads_batch = options.threads
    params.type_k = params.type_v = _KV_TYPES[kv_type]
    enabled, disabled = llama_cpp.LLAMA_FLASH_ATTN_TYPE_ENABLED, llama_cpp.LLAMA_FLASH_ATTN_TYPE_DISABLED
    params.flash_attn_type = enabled if options.flash_attention else disabled
    params.offload_kqv = params.op_offload = options.gpu_layers != 0
    params.no_perf = True
    return params
