"""The `superwhisper` command as a child process, as a person or a script runs it."""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.shared_data import REPOSITORY

_BOUND_S = 60.0
# What stands before the machine that runs the tests, and its language, must not decide how they end.
_PLAIN = {
    "SUPERWHISPER_CLIENT__MICROPHONE": "none",
    "SUPERWHISPER_CLIENT__LOUDSPEAKER": "none",
    "SUPERWHISPER_CLIENT__INTERFACE": "en",
}


@dataclass(frozen=True)
class Ended:
    """How the command ended, and what it wrote."""

    code: int
    out: str
    err: str

    def events(self, kind: str) -> list[dict[str, Any]]:
        """The events of this kind that it wrote with --json."""
        events = [json.loads(line) for line in self.out.splitlines()]
        return [event for event in events if event["event"] == kind]


async def superwhisper(
    *arguments: str | Path, stdin: str = "", folder: Path | None = None, environment: Mapping[str, str] | None = None
) -> Ended:
    """Runs it to its end."""
    async with started(*arguments, folder=folder, environment=environment) as process:
        out, err = await asyncio.wait_for(process.communicate(stdin.encode()), _BOUND_S)
    assert process.returncode is not None
    return Ended(process.returncode, out.decode(), err.decode())


@contextlib.asynccontextmanager
async def started(
    *arguments: str | Path,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    out: int = asyncio.subprocess.PIPE,
    stdin: int = asyncio.subprocess.PIPE,
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Runs it beside the test; killed at the end if it still runs."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "client", *map(str, arguments)),
        stdin=stdin,
        stdout=out,
        stderr=asyncio.subprocess.PIPE,
        cwd=folder or REPOSITORY,
        # PYTHONPATH: `-m` looks in the current folder, and tests have their own.
        env={**os.environ, **_PLAIN, "PYTHONPATH": str(REPOSITORY), **(environment or {})},
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def files_in(folder: Path) -> list[str]:
    """What it left there."""
    return sorted(path.name for path in folder.iterdir())


async def lines_until(process: asyncio.subprocess.Process, part: str) -> list[str]:
    """What it writes on stdout, until a line that holds `part`."""
    assert process.stdout is not None
    lines: list[str] = []
    while not lines or part not in lines[-1]:
        line = await asyncio.wait_for(process.stdout.readline(), _BOUND_S)
        assert line, f"it ended without {part!r}; it wrote {lines}"
        lines.append(line.decode())
    return lines
