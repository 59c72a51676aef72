"""Room: on the disk where the models lie, and in the machine's memory."""

import ctypes
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from client.doctor.check import Finding, ok, problem, warning
from client.doctor.outside import in_thread
from client.messages import tr
from services.common.gpu import GB
from services.common.models.store import ModelStore

# All models of the profile as their hubs have them, in 10^9 bytes: not every size stands in models.toml.
_MODELS_GB = {"rtx3090": 16.0, "cpu": 2.2, "embedded": 0.2}
# What the four services and the client hold, their models on a CPU included; those of the card must pass through it.
_MEMORY_GB = {"rtx3090": 8.0, "cpu": 4.0, "embedded": 1.5}
_SPARE_GB = 1.0  # logs, caches, and a download beside the model that it replaces


async def look_at_disk(
    models_dir: Path, profile: str, free_bytes: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free
) -> Sequence[Finding]:
    """What is free there, against what the profile still has to fetch."""
    needed = await in_thread(lambda: _needed_bytes(models_dir, profile))
    there = await in_thread(lambda: _nearest(models_dir.expanduser().absolute()))
    free = await in_thread(lambda: free_bytes(there))
    found = tr(
        "{free:.1f} GB free in {folder}; {needed:.1f} GB are needed",
        free=free / GB,
        folder=there,
        needed=needed / GB,
    )
    if free >= needed:
        return [ok(tr("disk"), found)]
    mend = tr("make room, or put the models elsewhere: {variable}", variable="export SUPERWHISPER_MODELS_DIR=/FOLDER")
    return [problem(tr("disk"), found, mend)]


async def look_at_memory(
    profile: str, *, is_client_alone: bool, total_bytes: Callable[[], int | None] | None = None
) -> Sequence[Finding]:
    """What the machine, or the container that this runs in, has of it."""
    total = await in_thread(total_bytes or memory_bytes)
    needed_gb = 0.5 if is_client_alone else _MEMORY_GB.get(profile, 0)
    if total is None:
        return [
            ok(
                tr("memory"),
                tr("this system does not tell how much there is; {needed:g} GB are needed", needed=needed_gb),
            )
        ]
    found = tr("{total:.1f} GB; {needed:g} GB are needed", total=total / GB, needed=needed_gb)
    if total >= needed_gb * GB:
        return [ok(tr("memory"), found)]
    return [warning(tr("memory"), found, tr("use smaller models: {other}", other="--profile embedded"))]


def _nearest(folder: Path) -> Path:
    """The folder, or the one in which it will be made."""
    return next(path for path in (folder, *folder.parents) if path.exists())


def _needed_bytes(models_dir: Path, profile: str) -> float:
    store = ModelStore(models_dir)
    models = store.registry.for_profile(profile)
    if all(store.is_installed(model) for model in models):
        return _SPARE_GB * GB
    paths = [store.file_path(model, file) for model in models for file in model.files]
    there = sum(path.stat().st_size for path in paths if path.is_file())
    return max(0.0, _MODELS_GB.get(profile, 0) * GB - there) + _SPARE_GB * GB


def memory_bytes() -> int | None:
    """Of the machine, or what its container may have of it."""
    if sys.platform == "win32":
        return _windows_memory_bytes()
    try:
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        return None
    limit = Path("/sys/fs/cgroup/memory.max")  # "max" where there is none
    allowed = limit.read_text(encoding="ascii").strip() if limit.is_file() else ""
    return min(total, int(allowed)) if allowed.isdigit() else total


def _windows_memory_bytes() -> int | None:
    kilobytes = ctypes.c_ulonglong(0)
    kernel = ctypes.CDLL("kernel32")
    return kilobytes.value * 1024 if kernel.GetPhysicallyInstalledSystemMemory(ctypes.byref(kilobytes)) else None
