"""Which graphics card a service uses: by its name or UUID, never by its index alone, and only one with room enough."""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from pydantic import Field

from services.common.errors import GpuError
from services.common.settings import Section

GB = 1_000_000_000
# What one whole step of compute capability is worth in free memory, where several cards are allowed.
_CAPABILITY_GB = 4.0


@dataclass(frozen=True)
class Gpu:
    """A card, or a part of one that its owner cut off (MIG), and its memory at some moment."""

    index: int
    uuid: str
    name: str
    total_bytes: int
    free_bytes: int
    used_bytes: int
    compute_capability: tuple[int, int]

    def __str__(self) -> str:
        memory = f"{self.free_bytes / GB:.1f} of {self.total_bytes / GB:.1f} GB free"
        return f"GPU {self.index} {self.name} ({self.uuid}, {memory})"


class Nvml(Protocol):
    """What the driver is asked. Everything blocks, a wedged driver for ever, and raises GpuError where it fails."""

    def gpus(self) -> Sequence[Gpu]:
        """All cards, as they are now."""

    def gpu(self, uuid: str) -> Gpu:
        """One card, as it is now."""

    def process_bytes(self, uuid: str, pid: int) -> int | None:
        """What a process uses of a card; None where the driver does not tell, as in most containers."""

    def close(self) -> None:
        """Lets the driver go."""


OpenNvml = Callable[[], Nvml]


class GpuSettings(Section):
    """Which card, and how much of it."""

    name: str = Field("", description="Part of its name, such as RTX 3090. Empty: any.")
    uuid: str = Field("", description="Its UUID, or the beginning of it, as nvidia-smi -L shows it. Empty: any.")
    min_total_gb: float = Field(0, ge=0, description="Least memory that it must have, in 10^9 bytes.")
    min_free_gb: float = Field(2, ge=0, description="Least memory that must be free at the start.")
    max_used_percent: float = Field(80, gt=0, le=100, description="Beyond this the smaller model takes over.")

    def __str__(self) -> str:
        which = " ".join(filter(None, [self.name, self.uuid])) or "any card"
        return f"{which} with at least {self.min_total_gb:g} GB, {self.min_free_gb:g} GB of them free"


def choose(gpus: Sequence[Gpu], wish: GpuSettings) -> Gpu:
    """The best card that fits, or a GpuError that lists what was found and what is wrong with each.

    The best has the highest sum of its free gigabytes and four times its compute capability; of equals the larger,
    then the one whose UUID comes first.
    """
    fitting = [gpu for gpu in gpus if not _flaws(gpu, wish)]
    if not fitting:
        found = "; ".join(f"{gpu}: {', '.join(_flaws(gpu, wish))}" for gpu in gpus) or "no NVIDIA card at all"
        raise GpuError(f"no graphics card fits. Wanted: {wish}. Found: {found}")
    return min(fitting, key=lambda gpu: (-score(gpu), -gpu.total_bytes, gpu.uuid))


def score(gpu: Gpu) -> float:
    """How good a card is, see `choose`."""
    major, minor = gpu.compute_capability
    return gpu.free_bytes / GB + _CAPABILITY_GB * (major + minor / 10)


def _flaws(gpu: Gpu, wish: GpuSettings) -> list[str]:
    flaws = []
    if wish.name.lower() not in gpu.name.lower():
        flaws.append(f"it is no {wish.name}")
    if not gpu.uuid.lower().startswith(wish.uuid.lower()):
        flaws.append("it has another UUID")
    if gpu.total_bytes < wish.min_total_gb * GB:
        flaws.append(f"it has less than {wish.min_total_gb:g} GB")
    if gpu.free_bytes < wish.min_free_gb * GB:
        flaws.append(f"less than {wish.min_free_gb:g} GB are free")
    return flaws


def found_gpus(open_nvml: OpenNvml) -> Sequence[Gpu]:
    """All cards of this machine, for a look that is over at once."""
    nvml = open_nvml()
    try:
        return nvml.gpus()
    finally:
        nvml.close()


def pin(gpu: Gpu) -> None:
    """From here on the CUDA libraries of this process and its children see that card alone, as device 0.

    They read it when they are first used, so it must come before any of them is loaded. By UUID, because CUDA counts
    cards in another order than the driver does; that of a MIG part names the part.
    """
    os.environ["CUDA_VISIBLE_DEVICES"] = gpu.uuid


def visible(gpus: Iterable[Gpu], allowed: str | None) -> list[Gpu]:
    """Those that CUDA_VISIBLE_DEVICES, if the owner set it, allows: by index or by (the beginning of) their UUID."""
    if allowed is None:
        return list(gpus)
    wanted = [part.strip() for part in allowed.split(",") if part.strip()]
    return [gpu for gpu in gpus if any(str(gpu.index) == part or _begins_uuid(gpu.uuid, part) for part in wanted)]


def _begins_uuid(uuid: str, part: str) -> bool:
    return not part.lstrip("-").isdecimal() and uuid.lower().startswith(part.lower())
