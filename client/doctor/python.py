"""Python itself."""

import platform
import struct
import sys
from collections.abc import Sequence

from client.doctor.check import Finding, ok, problem, warning
from client.messages import tr

_OLDEST, _BEYOND = (3, 11), (3, 14)  # as requires-python of pyproject.toml


async def look_at_python(
    version: tuple[int, int] = sys.version_info[:2],
    pointer_bits: int = struct.calcsize("P") * 8,
    prefixes: tuple[str, str] = (sys.prefix, sys.base_prefix),
) -> Sequence[Finding]:
    """Its version, its width and whether it has an environment of its own."""
    return [_version(version), _width(pointer_bits), _environment(*prefixes)]


def _version(version: tuple[int, int]) -> Finding:
    told = platform.python_version() if version == sys.version_info[:2] else ".".join(map(str, version))
    if _OLDEST <= version < _BEYOND:
        return ok(tr("version"), told)
    mend = tr("install Python 3.11, 3.12 or 3.13, and there: {command}", command="pipx install superwhisper[client]")
    return problem(tr("version"), told, mend)


def _width(bits: int) -> Finding:
    told = tr("{bits} bit, {machine}", bits=bits, machine=platform.machine())
    if bits == 64:
        return ok(tr("processor"), told)
    return problem(tr("processor"), told, tr("install the 64 bit Python: the model libraries have no other form"))


def _environment(prefix: str, base: str) -> Finding:
    if prefix != base:
        return ok(tr("environment"), prefix)
    found = tr("the system's own packages ({folder})", folder=prefix)
    return warning(tr("environment"), found, "python3 -m venv .venv && . .venv/bin/activate")
