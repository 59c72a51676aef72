"""A process in which llama-cpp-python's `Llama` writes replies, as anybody would have it do so. Started by plain.py.

Reads a request a line from stdin, and writes a line with the reply and its times. It knows nothing of the mind, so that
nothing that the mind sets up for llama.cpp helps or hinders it.
"""

import json
import sys
import time
from typing import Any

import llama_cpp


def main() -> None:
    """Writes until stdin ends."""
    options = json.loads(sys.argv[1])
    llama: Any = llama_cpp.Llama(
        options["model"],
        n_ctx=options["context_tokens"],
        n_batch=options["batch_tokens"],
        n_ubatch=options["batch_tokens"],
        n_threads=options["threads"],
        n_threads_batch=options["threads"],
        n_gpu_layers=options["gpu_layers"],
        flash_attn=True,  # is never slower for it
        verbose=False,
    )
    _answer({})
    for line in sys.stdin:
        request = json.loads(line)
        if request.pop("fresh"):
            llama.reset()
        _answer(_written(llama, request))


def _written(llama: Any, request: dict[str, Any]) -> dict[str, Any]:
    began_s, at_s, texts = time.perf_counter(), [], []
    for chunk in llama.create_chat_completion(**request, stream=True):
        if text := chunk["choices"][0]["delta"].get("content"):
            at_s.append(time.perf_counter())
            texts.append(text)
    return {"text": "".join(texts), "began_s": began_s, "at_s": at_s}


def _answer(fields: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(fields) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
