"""llama.cpp's library, set up: its threads, and its log. Whoever uses it takes it from here."""

import ctypes
import logging
import os
from collections import deque

# Read by GCC's OpenMP as it is loaded with llama.cpp. Its threads wait for each other some hundred times a token; by
# default they spin so long that one busy core, which the ears and the mouth often make, costs 30 times the speed
# (88 -> 2.6 tokens/s on two cores). Spinning this briefly: 75 and 30.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")

import llama_cpp

__all__ = ["llama_cpp", "take_complaint"]

_log = logging.getLogger(__name__)
# ggml's log levels; those below are a flood, and CONT (5) continues the line before.
_WARN, _ERROR = 3, 4
_LAST_WORDS = "failed to load model"  # follows the line that says why
_complaints: deque[str] = deque(maxlen=1)  # of the library, which has one log for the whole process


@llama_cpp.llama_log_callback  # type: ignore[untyped-decorator]  # made by ctypes
def _on_log(level: int, text: bytes, _user_data: object) -> None:
    if level in {_WARN, _ERROR}:
        line = text.decode(errors="replace").strip()
        _log.debug("llama.cpp: %s", line)
        if level == _ERROR and not line.endswith(_LAST_WORDS):
            _complaints.append(line)


def take_complaint(otherwise: str) -> str:
    """What the library last complained of, once; `otherwise` where it did not."""
    return _complaints.pop() if _complaints else otherwise


llama_cpp.llama_log_set(_on_log, ctypes.c_void_p(0))
llama_cpp.llama_backend_init()
