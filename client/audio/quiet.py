"""Keeps the sound libraries off the terminal.

PortAudio, ALSA and JACK write what troubles them straight to the standard error, past Python, in lines that tell
people nothing and tear up a screen.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Meanwhile only Python's own standard error leads where it led."""
    sys.stderr.flush()
    ours = os.fdopen(os.dup(2), "w", buffering=1, encoding=sys.stderr.encoding, errors="replace")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    before = sys.stderr, sys.__stderr__
    sys.stderr = sys.__stderr__ = ours  # type: ignore[misc]  # the second is what screens are drawn on
    try:
        yield
    finally:
        sys.stderr, sys.__stderr__ = before  # type: ignore[misc]
        ours.flush()
        os.dup2(ours.fileno(), 2)
        ours.close()
