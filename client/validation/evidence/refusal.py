"""Whether the services refuse an address that others can reach, without TLS and a token: each is started so."""

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from client.messages import tr
from client.validation.evidence.finding import Finding, Status, not_measured
from services.common.tasks import wait_for_end

SERVICES = ("stt", "llm", "tts", "orchestrator")
_EVERYWHERE = "0.0.0.0"  # noqa: S104  # it is to be refused
_REASON = "can be reached by others"  # what services/common/security.py says
_LIMIT_S = 60.0  # four starts at once on a slow machine; who refuses does so before any model is loaded
_PREFIX = "SUPERWHISPER_"


@dataclass(frozen=True)
class _Ended:
    code: int
    told: str


async def from_starts(now: datetime, services: Sequence[str] = SERVICES, limit_s: float = _LIMIT_S) -> list[Finding]:
    """A finding a service."""
    found = await asyncio.gather(*(_finding(name, _command(name), limit_s) for name in services))
    return [replace(one, at=now) for one in found]


def _command(service: str) -> tuple[str, ...]:
    return (sys.executable, "-m", f"services.{service}", f"--{service}.server.host", _EVERYWHERE)


async def _finding(service: str, command: Sequence[str], limit_s: float) -> Finding:
    source = " ".join(("python", *command[1:]))
    ended = await _run(command, limit_s)
    if ended is None:
        told = tr(
            "{service} did not refuse {host} within {seconds:g} s", service=service, host=_EVERYWHERE, seconds=limit_s
        )
        return Finding(Status.NO_GO, told, source)
    if ended.code == 0:
        return Finding(Status.NO_GO, tr("{service} took {host}", service=service, host=_EVERYWHERE), source)
    if _REASON not in ended.told:
        last = (ended.told.strip().splitlines() or ["?"])[-1]
        return not_measured(tr("{service} does not start here: {reason}", service=service, reason=last), source)
    return Finding(Status.GO, tr("{service} refuses {host}", service=service, host=_EVERYWHERE), source)


async def _run(command: Sequence[str], limit_s: float) -> _Ended | None:
    """How it ended; None if it did not, and was killed."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env=_without_settings(os.environ),
        cwd=Path(__file__).parents[3],  # where `services` lies in a checkout; installed, it is found anyway
    )
    try:
        async with asyncio.timeout(limit_s):
            _, told = await process.communicate()
    except TimeoutError:
        return None
    finally:
        if process.returncode is None:
            process.kill()
            await wait_for_end(asyncio.ensure_future(process.wait()))
    return _Ended(process.returncode or 0, told.decode(errors="replace"))


def _without_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """With TLS and a token from the environment it would serve, as it should: here they are to be missing."""
    return {name: value for name, value in environment.items() if not name.upper().startswith(_PREFIX)}
