"""The part of sounddevice that the client uses, with devices that a test makes up."""

from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np

from services.common.audio import Samples

BLOCK_S = 0.01


class PortAudioError(Exception):
    """As sounddevice's."""


@dataclass
class FakeDevice:
    """What it accepts. `channels`: of inputs, of outputs."""

    name: str
    inputs: int = 0
    outputs: int = 0
    rate_hz: float = 48_000.0
    system: str = "ALSA"
    rates_hz: tuple[int, ...] = (48_000, 44_100, 16_000)
    channels: tuple[int, ...] = (1, 2)
    starts: bool = True


@dataclass
class FakeStream:
    """A stream whose thread comes when a test says so."""

    options: dict[str, Any]
    starts: bool = True
    active: bool = False
    closed: bool = False
    latency: float = 0.02

    def start(self) -> None:
        if not self.starts:
            raise PortAudioError("Device unavailable")
        self.active = True

    def close(self) -> None:
        self.active, self.closed = False, True

    def come(self, samples: Samples, *, took_s: float = 0.03, is_late: bool = False) -> Samples:
        """Its thread comes with a block of all channels; what the block holds afterwards."""
        block = samples.copy()
        times = SimpleNamespace(currentTime=5.0, inputBufferAdcTime=5.0 - took_s, outputBufferDacTime=5.0 + took_s)
        status = SimpleNamespace(input_overflow=is_late, output_underflow=is_late)
        callback: Callable[..., None] = self.options["callback"]
        callback(block.data.cast("B"), self.options["blocksize"], times, status)
        return block

    @property
    def silence(self) -> Samples:
        """A block of it."""
        return np.zeros(self.options["blocksize"] * self.options["channels"], np.int16)


@dataclass
class FakePortAudio:
    """Stands in for the module."""

    devices: list[FakeDevice]
    streams: list[FakeStream] = field(default_factory=list)
    checked: int = 0
    fails_to_start: bool = False

    PortAudioError = PortAudioError
    _initialized = 1

    def query_devices(self, device: int | None = None, kind: str | None = None) -> Any:
        if not self._initialized:
            raise PortAudioError("PortAudio not initialized")
        if kind is None:
            return [self._row(index) for index in range(len(self.devices))]
        rows = [self._row(index) for index in range(len(self.devices))]
        first = next((row for row in rows if row[f"max_{kind}_channels"]), None)
        if first is None:
            raise PortAudioError("Error querying device -1")
        return first

    def query_hostapis(self) -> list[dict[str, Any]]:
        return [
            {
                "name": system,
                "default_input_device": self._first(system, "input"),
                "default_output_device": self._first(system, "output"),
            }
            for system in self._systems()
        ]

    def check_input_settings(self, *, device: int, channels: int, dtype: str, samplerate: int) -> None:
        self.checked += 1
        found = self.devices[device]
        if samplerate not in found.rates_hz or channels not in found.channels:
            raise PortAudioError("Invalid sample rate")

    check_output_settings = check_input_settings

    def RawInputStream(self, **options: Any) -> FakeStream:  # noqa: N802  # its name
        return self._open(options)

    def RawOutputStream(self, **options: Any) -> FakeStream:  # noqa: N802  # its name
        return self._open(options)

    def _open(self, options: dict[str, Any]) -> FakeStream:
        self.check_input_settings(**{name: options[name] for name in ("device", "channels", "dtype", "samplerate")})
        self.streams.append(FakeStream(options, self.devices[options["device"]].starts))
        return self.streams[-1]

    def _exit_handler(self) -> None:
        """What sounddevice does at the program's end."""

    def _terminate(self) -> None:
        self._initialized -= 1

    def _initialize(self) -> None:
        if self.fails_to_start:
            raise PortAudioError("Error initializing PortAudio")
        self._initialized += 1

    def _systems(self) -> list[str]:
        return list(dict.fromkeys(device.system for device in self.devices))

    def _first(self, system: str, kind: str) -> int:
        rows = [self._row(index) for index, device in enumerate(self.devices) if device.system == system]
        return next((row["index"] for row in rows if row[f"max_{kind}_channels"]), -1)

    def _row(self, index: int) -> dict[str, Any]:
        device = self.devices[index]
        return {
            "index": index,
            "name": device.name,
            "hostapi": self._systems().index(device.system),
            "max_input_channels": device.inputs,
            "max_output_channels": device.outputs,
            "default_samplerate": device.rate_hz,
        }
