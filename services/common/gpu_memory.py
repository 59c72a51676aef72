"""The memory of the card in use: how full it is, and whether an engine has room there."""

import asyncio
import logging
import os
from collections.abc import Callable

from services.common.errors import GpuError
from services.common.gpu import GB, Gpu, Nvml
from services.common.metrics import GpuMetrics
from services.common.threads import EngineThreads

_log = logging.getLogger(__name__)
_LOOK_LIMIT_S = 1.0  # it takes less than a millisecond; a wedged driver never answers


def _nothing() -> int:
    return 0


class GpuMemory:
    """Looks at one card when told to, and answers by what it saw last. What it cannot see is no obstacle."""

    def __init__(
        self,
        nvml: Nvml,
        gpu: Gpu,
        max_used_percent: float,
        metrics: GpuMetrics,
        claimed_bytes: Callable[[], int] = _nothing,
    ) -> None:
        """`claimed_bytes`: what the loaded engines are said to need, for where the driver does not tell."""
        self._nvml = nvml
        self._gpu = gpu
        self._max_used_percent = max_used_percent
        self._metrics = metrics
        self._claimed_bytes = claimed_bytes
        self._threads = EngineThreads(1, "nvml", grace_s=0)
        self._is_looking = False
        self._now: Gpu | None = gpu

    async def look(self) -> None:
        """Sees anew how full the card is. While an earlier look does not come back, there is no other."""
        if self._is_looking:
            return
        self._is_looking = True
        try:
            async with asyncio.timeout(_LOOK_LIMIT_S):
                now, own_bytes = await self._threads.run(lambda _stop: self._read())
        except (GpuError, TimeoutError) as error:
            if self._now is not None:
                _log.warning("the memory of %s cannot be seen: %s", self._gpu.name, error or "no answer")
            self._now = None
            self._metrics.usage_percent.labels(self._gpu.name).set(float("nan"))
            return
        self._now = now
        self._metrics.usage_percent.labels(self._gpu.name).set(_percent(now.used_bytes, now))
        self._metrics.own_bytes.set(self._claimed_bytes() if own_bytes is None else own_bytes)

    def room_for(self, needs_bytes: int) -> Callable[[bool], str | None]:
        """The obstacle of an engine that needs so much; a loaded one has its memory already."""
        return lambda loaded: self._obstacle(0 if loaded else needs_bytes)

    async def close(self) -> None:
        """Lets the driver go, if it answers."""
        if not self._is_looking:
            try:
                async with asyncio.timeout(_LOOK_LIMIT_S):
                    await self._threads.run(lambda _stop: self._nvml.close())
            except (GpuError, TimeoutError) as error:
                _log.warning("the NVIDIA driver cannot be let go: %s", error or "no answer")
        self._threads.shutdown(wait=False)

    def _read(self) -> tuple[Gpu, int | None]:
        try:
            return self._nvml.gpu(self._gpu.uuid), self._nvml.process_bytes(self._gpu.uuid, os.getpid())
        finally:
            self._is_looking = False

    def _obstacle(self, more_bytes: int) -> str | None:
        now = self._now
        if now is None or _percent(now.used_bytes + more_bytes, now) <= self._max_used_percent:
            return None
        used = f"{now.used_bytes / GB:.1f} of {now.total_bytes / GB:.1f} GB of {now.name} are in use"
        needs = f", it needs {more_bytes / GB:.1f} GB" if more_bytes else ""
        return f"{used}{needs}; the limit is {self._max_used_percent:g} %"


def _percent(used_bytes: int, gpu: Gpu) -> float:
    return used_bytes * 100 / gpu.total_bytes
