"""The graphics card of the ears' chain, or why there is none."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from prometheus_client import CollectorRegistry

from services.common.errors import GpuError
from services.common.gpu import GB, Gpu, OpenNvml, choose, pin
from services.common.gpu_memory import GpuMemory
from services.common.metrics import GpuMetrics
from services.stt.config import SttSection

_log = logging.getLogger(__name__)
Obstacle = Callable[[bool], str | None]


@dataclass(frozen=True)
class Card:
    """What a chain must know of the card: its name for metrics, and what keeps an engine from it."""

    gpu: Gpu | None = None
    memory: GpuMemory | None = None
    absence: str = ""

    @property
    def name(self) -> str:
        """As metrics call it; empty where there is none."""
        return self.gpu.name if self.gpu else ""

    def obstacle(self, vram_gb: float) -> Obstacle:
        """What keeps an engine that needs so much from working, if anything."""
        if self.memory is None:
            return lambda _loaded: self.absence
        return self.memory.room_for(int(vram_gb * GB))

    async def look(self) -> None:
        """Sees anew how full it is."""
        if self.memory is not None:
            await self.memory.look()

    async def close(self) -> None:
        """Lets the driver go."""
        if self.memory is not None:
            await self.memory.close()


def find_card(
    stt: SttSection, open_nvml: OpenNvml, registry: CollectorRegistry, claimed_bytes: Callable[[], int]
) -> Card:
    """The card that the settings ask for, from here on the only one that CUDA shows this process.

    Without it the CPU engines of the chain go on, and say so; a chain without any is a GpuError.
    """
    if not stt.on_gpu:
        return Card()
    try:
        nvml = open_nvml()
        gpu = choose(nvml.gpus(), stt.gpu)
    except GpuError as error:
        if stt.on_gpu == set(stt.engines):
            raise
        _log.warning("the ears go on without a graphics card: %s", error)
        return Card(absence=str(error))
    pin(gpu)
    _log.info("the ears use %s", gpu)
    memory = GpuMemory(nvml, gpu, stt.gpu.max_used_percent, GpuMetrics.create(registry, "stt"), claimed_bytes)
    return Card(gpu, memory)
