"""Keeps the sound libraries off the terminal.

PortAudio, ALSA and JACK write what troubles them straight to the standard error, past Python, in lines that tell
people nothing and tear up a screen.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from typing import TextIO

_STANDARD_ERROR = 2


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Meanwhile only Python's own standard error leads where it led."""
    errors = sys.__stderr__
    if errors is None or not _leads_there(errors):  # its number may be something else's; or it is quiet already
        yield
        return
    before = sys.stderr, errors
    ours = _moved(errors)
    if _leads_there(sys.stderr):  # not what a test or a screen has put in its place
        sys.stderr = ours
    sys.__stderr__ = ours  # type: ignore[misc]  # screens are drawn on it
    try:
        yield
    finally:
        sys.stderr, sys.__stderr__ = before  # type: ignore[misc]
        ours.flush()
        os.dup2(ours.fileno(), _STANDARD_ERROR)
        ours.close()


def _leads_there(stream: TextIO) -> bool:
    try:
        return stream.fileno() == _STANDARD_ERROR
    except (OSError, ValueError):  # it is no file, or closed
        return False


def _moved(stream: TextIO) -> TextIOWrapper:
    """The same under another number. What is written to its old one is lost."""
    stream.flush()
    ours = os.fdopen(os.dup(_STANDARD_ERROR), "w", buffering=1, encoding=stream.encoding, errors="replace")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, _STANDARD_ERROR)
    os.close(nowhere)
    return ours
