"""Ways to ask what may never answer: a wedged driver, a dead network folder, a daemon that hangs."""

import asyncio
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TypeVar

from client.messages import tr

T = TypeVar("T")


@dataclass(frozen=True)
class Ended:
    """How a program ended, and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def last_line(self) -> str:
        """Of its complaint: where programs say what was wrong."""
        lines = (self.err.strip() or self.out.strip()).splitlines()
        return lines[-1].strip() if lines else tr("exit code {code}", code=self.code)


async def in_thread(work: Callable[[], T]) -> T:
    """Runs what blocks. A thread that never comes back is left behind, and does not hold up the end of the program."""
    job: Future[T] = Future()

    def run() -> None:
        job.set_running_or_notify_cancel()
        try:
            job.set_result(work())
        except BaseException as error:  # noqa: BLE001  # it is raised where it is awaited
            job.set_exception(error)

    # The threads of an executor are waited for at the end of the program; a daemon thread is not.
    threading.Thread(target=run, name="doctor", daemon=True).start()
    return await asyncio.wrap_future(job)


async def run_program(program: str, *arguments: str) -> Ended | None:
    """Runs it to its end; None where it is not installed. Cancelled, it is killed."""
    path = shutil.which(program)
    if path is None:
        return None
    process = await asyncio.create_subprocess_exec(
        path, *arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
        code = await process.wait()
    return Ended(code, out.decode(errors="replace"), err.decode(errors="replace"))


async def run_python(code: str, *arguments: str) -> Ended:
    """Runs a few lines in a Python of their own: what crashes there does not crash this one."""
    ended = await run_program(sys.executable, "-c", code, *arguments)
    return ended or Ended(1, "", tr("{program} is gone", program=sys.executable))
