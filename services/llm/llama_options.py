"""How llama.cpp runs a model: what its settings come to."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

# llama.cpp splits text by std::regex for some vocabularies, which recurses at every character: with the usual 8 MB one
# word of 40,000 characters ends the process. This is enough for the longest text of a request, and taken as it is used.
READING_STACK_BYTES = 512 * 2**20
KvType = Literal["f16", "q8_0", "q4_0"]


@dataclass(frozen=True)
class LlamaOptions:
    """How a model is run. `gpu_layers` -1 means all of them."""

    context_tokens: int  # of each conversation
    sequences: int = 1  # conversations that are kept, and written at the same time
    batch_tokens: int = 64
    threads: int = 1
    gpu_layers: int = 0
    flash_attention: bool = False
    kv_type: KvType = "f16"
    mmap: bool = True
    chat_template: Path | None = None  # instead of the model's own
    thinking: bool = False
