"""A service whose memory can be told: at SIGUSR1 it gives back to the system all that it freed, and says so.

    python -m tests.support.tidy_service services.orchestrator --profile embedded …

Without that, what allocators keep for later is more than what most leaks amount to.
"""

import ctypes
import gc
import runpy
import signal
import sys

TIDIED = "what was freed was given back"


def main() -> None:
    """Runs the module in this process, with the arguments that follow it."""
    signal.signal(signal.SIGUSR1, _tidy)
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__")


def _tidy(*_: object) -> None:
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    sys.stdout.write(TIDIED + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
