"""What a validation is made on, in a line each."""

import os
import platform
from pathlib import Path

from client.config import ClientSection
from services.common.errors import GpuError
from services.common.gpu import found_gpus
from services.common.nvml import open_nvml
from services.common.security import is_loopback
from services.common.settings import ProcessSettings, load


def system() -> str:
    """The operating system, the processor's kind, and Python."""
    return f"{platform.platform()}, {os.cpu_count()} × {platform.machine()}, Python {platform.python_version()}"


def gpus() -> str:
    """The graphics cards' names; empty where there is none."""
    try:
        return ", ".join(gpu.name for gpu in found_gpus(open_nvml))
    except GpuError:
        return ""


def profile(config: Path | None) -> str:
    """What the settings come to on this machine; services that were started with flags may have another one."""
    return load(ProcessSettings, ("--config", str(config)) if config else ()).profile


def is_here(client: ClientSection) -> bool:
    """Whether the assistant is on this machine, so that what is known of the one is true of the other."""
    return is_loopback(client.assistant.address.rpartition(":")[0])
