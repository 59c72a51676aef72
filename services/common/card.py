"""The graphics card of a service's chain, or why there is none."""

import logging
from collections.abc import Callable, Set
from dataclasses import dataclass

from prometheus_client import CollectorRegistry

from services.common.errors import GpuError
from services.common.gpu import Gpu, GpuSettings, OpenNvml, choose, pin
from services.common.gpu_memory import GpuMemory
from services.common.metrics import GpuMetrics

_log = logging.getLogger(__name__)
Obstacle = Callable[[bool], str | None]


@dataclass(frozen=True)
class CardSeeker:
    """A service whose chain may need a card, and which one it wishes for."""

    service: str  # as its metrics begin
    nickname: str  # as its logs call it, such as "the ears"
    wish: GpuSettings
    engines: Set[str]
    on_gpu: Set[str]  # those of them that need one


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

    def obstacle(self, needs_bytes: int) -> Obstacle:
        """What keeps an engine that needs so much from working, if anything."""
        if self.memory is None:
            return lambda _loaded: self.absence
        return self.memory.room_for(needs_bytes)

    async def look(self) -> None:
        """Sees anew how full it is."""
        if self.memory is not None:
            await self.memory.look()

    async def close(self) -> None:
        """Lets the driver go."""
        if self.memory is not None:
            await self.memory.close()


def find_card(
    seeker: CardSeeker, open_nvml: OpenNvml, registry: CollectorRegistry, claimed_bytes: Callable[[], int]
) -> Card:
    """The card that the settings ask for, from here on the only one that CUDA shows this process.

    Without it the CPU engines of the chain go on, and say so; a chain without any is a GpuError.
    """
    if not seeker.on_gpu:
        return Card()
    try:
        nvml = open_nvml()
        gpu = choose(nvml.gpus(), seeker.wish)
    except GpuError as error:
        if seeker.on_gpu == seeker.engines:
            raise
        _log.warning("%s: without a graphics card the other engines go on: %s", seeker.nickname, error)
        return Card(absence=str(error))
    pin(gpu)
    _log.info("%s: the graphics card is %s", seeker.nickname, gpu)
    memory = GpuMemory(
        nvml, gpu, seeker.wish.max_used_percent, GpuMetrics.create(registry, seeker.service), claimed_bytes
    )
    return Card(gpu, memory)
