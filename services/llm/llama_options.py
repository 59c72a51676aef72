"""How llama.cpp runs a model: what its settings come to."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

KvType = Literal["f16", "q8_0", "q4_0"]


@dataclass(frozen=True)
class LlamaOptions:
    """How a model is run. `gpu_layers` -1 means all of them."""

    context_tokens: int  # of each conversation
    sequences: int = 1  # conversations that are kept, and written at the same time
    batch_tokens: int = 64
    threads: int = 1
    gpu_layers: int = 0
    flash_attention: bool = True
    kv_type: KvType = "q8_0"
    mmap: bool = True
    chat_template: Path | None = None  # instead of the model's own
    thinking: bool = False
