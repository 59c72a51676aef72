"""What a check is and what it finds. Each subject is a file of its own; none knows of the others."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"  # it works, but not as well as it could, or not for long
    PROBLEM = "problem"  # something that was asked for cannot work
    NOT_APPLICABLE = "not applicable"


class Subject(StrEnum):
    """What is looked at, in the order in which it is told: what stands first may explain what comes later."""

    SETTINGS = "settings"
    PYTHON = "python"
    PACKAGES = "packages"
    GPU = "gpu"
    CUDA = "cuda"
    CONTAINERS = "containers"
    MODELS = "models"
    DISK = "disk"
    PORTS = "ports"
    SERVICES = "services"
    TLS = "tls"
    SOUND = "sound"
    CLOCK = "clock"
    TERMINAL = "terminal"


@dataclass(frozen=True)
class Finding:
    """One line of the report; `mend` is what to do, a command to type where possible."""

    name: str
    verdict: Verdict
    found: str
    mend: str = ""


def ok(name: str, found: str) -> Finding:
    """It is as it should be."""
    return Finding(name, Verdict.OK, found)


def warning(name: str, found: str, mend: str) -> Finding:
    """It should be better."""
    return Finding(name, Verdict.WARNING, found, mend)


def problem(name: str, found: str, mend: str) -> Finding:
    """It cannot work so."""
    return Finding(name, Verdict.PROBLEM, found, mend)


def not_applicable(name: str, found: str) -> Finding:
    """It does not matter here, and why."""
    return Finding(name, Verdict.NOT_APPLICABLE, found)


@dataclass(frozen=True)
class Check:
    """Looks at one subject, or a part of it. Whatever happens, it is over after `limit_s`.

    One that `works` keeps the processor or the disk busy: such wait until what is timed has been timed.
    """

    subject: Subject
    look: Callable[[], Awaitable[Sequence[Finding]]]
    limit_s: float = 10.0
    works: bool = False
