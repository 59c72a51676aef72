"""NVIDIA's own answer to what cards there are. The only user of its library, which is loaded when it is asked."""

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from services.common.errors import GpuError
from services.common.gpu import Gpu, Nvml, visible

T = TypeVar("T")


def open_nvml() -> Nvml:
    """The driver of this machine, or a GpuError that says why there is none."""
    try:
        import pynvml  # type: ignore[import-untyped]  # noqa: PLC0415  # most machines have no such card
    except ImportError as error:
        raise GpuError(f"there is no NVIDIA driver to be asked ({error})") from error
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        raise GpuError(f"there is no NVIDIA driver ({error})") from error
    return NvidiaDriver(pynvml, os.environ.get("CUDA_VISIBLE_DEVICES"))


class NvidiaDriver:
    """Speaks to the driver; `allowed` is what its owner lets CUDA see."""

    def __init__(self, library: Any, allowed: str | None) -> None:
        self._library = library
        self._allowed = allowed

    def gpus(self) -> Sequence[Gpu]:
        """All cards and their parts that may be used."""
        return visible(self._ask(lambda: [self._describe(*found) for found in self._devices()]), self._allowed)

    def gpu(self, uuid: str) -> Gpu:
        """One of them."""
        return self._ask(lambda: self._describe(*self._device(uuid)))

    def process_bytes(self, uuid: str, pid: int) -> int | None:
        """As the driver counts it. In a container it knows processes by other numbers."""
        _, _, device = self._ask(lambda: self._device(uuid))
        processes = self._ask(lambda: self._library.nvmlDeviceGetComputeRunningProcesses(device))
        return next((process.usedGpuMemory for process in processes if process.pid == pid), None)

    def close(self) -> None:
        """Lets it go."""
        self._ask(self._library.nvmlShutdown)

    def _ask(self, question: Callable[[], T]) -> T:
        try:
            return question()
        except self._library.NVMLError as error:
            raise GpuError(f"the NVIDIA driver fails: {error}") from error

    def _device(self, uuid: str) -> tuple[int, Any, Any]:
        for found in self._devices():
            if _text(self._library.nvmlDeviceGetUUID(found[2])) == uuid:
                return found
        raise GpuError(f"the card {uuid} is gone")

    def _devices(self) -> Iterator[tuple[int, Any, Any]]:
        """Index, card, and what can be computed on: the card, or each of its parts where it is cut into such."""
        for index in range(self._library.nvmlDeviceGetCount()):
            card = self._library.nvmlDeviceGetHandleByIndex(index)
            parts = list(self._parts(card))
            for device in parts or [card]:
                yield index, card, device

    def _parts(self, card: Any) -> Iterator[Any]:
        nvml = self._library
        try:
            current, _ = nvml.nvmlDeviceGetMigMode(card)
        except nvml.NVMLError_NotSupported:
            return
        for number in range(nvml.nvmlDeviceGetMaxMigDeviceCount(card) if current else 0):
            try:
                yield nvml.nvmlDeviceGetMigDeviceHandleByIndex(card, number)
            except nvml.NVMLError_NotFound:
                continue

    def _describe(self, index: int, card: Any, device: Any) -> Gpu:
        memory = self._library.nvmlDeviceGetMemoryInfo(device)
        major, minor = self._library.nvmlDeviceGetCudaComputeCapability(card)
        return Gpu(
            index=index,
            uuid=_text(self._library.nvmlDeviceGetUUID(device)),
            name=_text(self._library.nvmlDeviceGetName(device)),
            total_bytes=int(memory.total),
            free_bytes=int(memory.free),
            used_bytes=int(memory.used),
            compute_capability=(int(major), int(minor)),
        )


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
