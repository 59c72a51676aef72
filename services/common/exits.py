"""Ends of a process that do not wait for threads which never come back. The interpreter's own would."""

import logging
import os
import sys
import threading
import time
from typing import NoReturn

_log = logging.getLogger(__name__)
_LAST_WAIT_S = 1.0


def end_now(code: int) -> NoReturn:
    """Ends the process at once, with all that it said written out."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def leave_threads_behind() -> None:
    """At the end of a program: returns where no thread is at work any more, else ends the process with 0."""
    here = threading.current_thread()
    others = [thread for thread in threading.enumerate() if thread is not here and not thread.daemon]
    ends = time.monotonic() + _LAST_WAIT_S
    for thread in others:
        thread.join(max(0.0, ends - time.monotonic()))
    if left := [thread.name for thread in others if thread.is_alive()]:
        _log.warning("these threads do not end: %s", ", ".join(left))
        end_now(0)
