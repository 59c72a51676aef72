"""A driver with as many cards as a test wants, whose memory changes, which fails, hangs or is lost. And its library."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace

from services.common.errors import GpuError
from services.common.gpu import GB, Gpu

BOUND_S = 20.0


def card(
    name: str = "NVIDIA GeForce RTX 3090",
    *,
    index: int = 0,
    total_gb: float = 25.8,
    used_gb: float = 0.5,
    capability: tuple[int, int] = (8, 6),
    uuid: str = "",
) -> Gpu:
    """A card; by default the one that this program is made for."""
    total, used = int(total_gb * GB), int(used_gb * GB)
    return Gpu(index, uuid or f"GPU-{index:08d}", name, total, total - used, used, capability)


class FakeNvml:
    """Its cards are those that were put in."""

    def __init__(self, *cards: Gpu, process_bytes: int | None = None) -> None:
        self.closed = False
        self.asked = 0
        self.failure: str | None = None  # of every question
        self._cards = {gpu.uuid: gpu for gpu in cards}
        self._process_bytes = process_bytes
        self._answers = threading.Event()
        self._answers.set()

    def use(self, used_gb: float, uuid: str = "GPU-00000000") -> None:
        """From now on so much of the card is in use, by whomever."""
        gpu, used = self._cards[uuid], int(used_gb * GB)
        self._cards[uuid] = replace(gpu, used_bytes=used, free_bytes=gpu.total_bytes - used)

    def take_away(self, uuid: str = "GPU-00000000") -> None:
        """The card has fallen off the bus."""
        del self._cards[uuid]

    def hang(self) -> None:
        """No question comes back any more, until `wake`."""
        self._answers.clear()

    def wake(self) -> None:
        """All questions come back."""
        self._answers.set()

    def gpus(self) -> Sequence[Gpu]:
        """All of them."""
        self._be_asked()
        return list(self._cards.values())

    def gpu(self, uuid: str) -> Gpu:
        """One of them."""
        self._be_asked()
        if uuid not in self._cards:
            raise GpuError(f"the card {uuid} is gone")
        return self._cards[uuid]

    def process_bytes(self, uuid: str, pid: int) -> int | None:
        """What was said at the beginning."""
        return self._process_bytes

    def close(self) -> None:
        """Remembers it."""
        self.closed = True

    def _be_asked(self) -> None:
        self.asked += 1
        assert self._answers.wait(BOUND_S)
        if self.failure is not None:
            raise GpuError(f"the NVIDIA driver fails: {self.failure}")


@dataclass(frozen=True)
class _Handle:
    gpu: Gpu


class FakeLibrary:
    """What of nvidia-ml-py is used. A handle is what it is there: a thing to ask by."""

    class NVMLError(Exception):
        """The root of the library's errors."""

    class NVMLError_NotSupported(NVMLError):  # noqa: N801, N818  # the library's names
        """Older cards cannot be cut."""

    class NVMLError_NotFound(NVMLError):  # noqa: N801, N818
        """There is no such part."""

    def __init__(self, cards: Sequence[Gpu], processes: Mapping[int, int] | None = None) -> None:
        self.is_lost = False
        self._cards = list(cards)
        self._parts: dict[int, list[Gpu]] = {}
        self._processes = processes or {}

    def cut(self, index: int, *parts: Gpu) -> Gpu:
        """From now on the card consists of these."""
        self._parts[index] = list(parts)
        return parts[0]

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802
        self._be_there()
        return len(self._cards)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> _Handle:  # noqa: N802
        return _Handle(self._cards[index])

    def nvmlDeviceGetMigMode(self, handle: _Handle) -> list[int]:  # noqa: N802
        if handle.gpu.index not in self._parts:
            raise self.NVMLError_NotSupported("Not Supported")
        return [1, 1]

    def nvmlDeviceGetMaxMigDeviceCount(self, handle: _Handle) -> int:  # noqa: N802
        return 7

    def nvmlDeviceGetMigDeviceHandleByIndex(self, handle: _Handle, number: int) -> _Handle:  # noqa: N802
        parts = self._parts[handle.gpu.index]
        if number >= len(parts):
            raise self.NVMLError_NotFound("Not Found")
        return _Handle(parts[number])

    def nvmlDeviceGetUUID(self, handle: _Handle) -> bytes:  # noqa: N802
        return handle.gpu.uuid.encode()

    def nvmlDeviceGetName(self, handle: _Handle) -> str:  # noqa: N802
        return handle.gpu.name

    def nvmlDeviceGetMemoryInfo(self, handle: _Handle) -> SimpleNamespace:  # noqa: N802
        gpu = handle.gpu
        return SimpleNamespace(total=gpu.total_bytes, free=gpu.free_bytes, used=gpu.used_bytes)

    def nvmlDeviceGetCudaComputeCapability(self, handle: _Handle) -> tuple[int, int]:  # noqa: N802
        return handle.gpu.compute_capability

    def nvmlDeviceGetComputeRunningProcesses(self, handle: _Handle) -> list[SimpleNamespace]:  # noqa: N802
        return [SimpleNamespace(pid=pid, usedGpuMemory=used) for pid, used in self._processes.items()]

    def nvmlShutdown(self) -> None:  # noqa: N802
        self._be_there()

    def _be_there(self) -> None:
        if self.is_lost:
            raise self.NVMLError("GPU is lost")
