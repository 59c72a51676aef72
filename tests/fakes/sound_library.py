"""Sound devices that are plugged in, unplugged, frozen and heard as a test wants."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import numpy as np

from client.audio.devices import Device, Direction, OpenDevice, Render
from client.audio.ring import Ring
from client.errors import CommandError
from services.common.audio import Samples


@dataclass
class FakeOpenDevice:
    """Runs when it is told to."""

    device: Device
    ring: Ring
    render: Render | None = None
    beats: int = 0
    late: int = 0
    latency_s: float = 0.04
    is_open: bool = True
    is_running: bool = True

    @property
    def direction(self) -> Direction:
        return "input" if self.render is None else "output"

    def hear(self, samples: Samples) -> None:
        """A microphone's thread comes with these."""
        self.ring.write(samples)
        self.beats += 1

    def play(self, frames: int) -> Samples:
        """A loudspeaker's thread comes for so many; what it got."""
        assert self.render is not None
        out = np.zeros(frames, np.int16)
        self.render(out)
        self.ring.write(out)
        self.beats += 1
        return out

    def is_active(self) -> bool:
        return self.is_open and self.is_running

    def close(self) -> None:
        self.is_open = False


@dataclass
class FakeSoundLibrary:
    """As PortAudio, it knows the devices that were there when it last looked, and can look only with all closed."""

    plugged: dict[Direction, list[Device]] = field(default_factory=lambda: {"input": [], "output": []})
    refused: set[str] = field(default_factory=set)  # devices that are there and do not open
    opened: list[FakeOpenDevice] = field(default_factory=list)
    looked: int = 0

    def __post_init__(self) -> None:
        self._known: dict[Direction, list[Device]] = {"input": [], "output": []}
        self._may_go_on = threading.Event()
        self._may_go_on.set()
        self.look_again()
        self.looked = 0

    def plug(self, direction: Direction, name: str, rate_hz: int = 48_000, *, first: bool = False) -> None:
        """From now on it is there, as the default if it is the first."""
        devices = self.plugged[direction]
        devices.insert(0 if first else len(devices), Device(0, name, rate_hz))

    def unplug(self, direction: Direction, name: str) -> None:
        """What runs on it ends."""
        self.plugged[direction] = [device for device in self.plugged[direction] if device.name != name]
        for running in self.running:
            if running.device.name == name and running.direction == direction:
                running.is_running = False

    @property
    def running(self) -> list[FakeOpenDevice]:
        """Devices that are open."""
        return [device for device in self.opened if device.is_open]

    def of(self, direction: Direction) -> FakeOpenDevice:
        """The one that is open."""
        return next(device for device in self.running if device.direction == direction)

    def beat(self) -> None:
        """Each device's thread comes once."""
        for running in self.running:
            if not running.is_running:
                continue
            if running.direction == "input":
                running.hear(np.ones(480, np.int16))
            else:
                running.play(480)

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """Meanwhile no call comes back."""
        self._may_go_on.clear()
        try:
            yield
        finally:
            self._may_go_on.set()

    def find(self, direction: Direction, wanted: str) -> Device | None:
        self._may_go_on.wait()
        known = self._known[direction]
        if wanted.isdecimal():
            return next((device for device in known if str(device.index) == wanted), None)
        if wanted == "none":
            return None
        return next((device for device in known if wanted in device.name), None)

    def open_input(self, device: Device, heard: Ring) -> OpenDevice:
        return self._opened(FakeOpenDevice(device, heard))

    def open_output(self, device: Device, render: Render, played: Ring) -> OpenDevice:
        return self._opened(FakeOpenDevice(device, played, render))

    def look_again(self) -> None:
        self._may_go_on.wait()
        assert not self.running, "PortAudio ends every stream when it starts anew"
        self.looked += 1
        for direction, devices in self.plugged.items():
            start = 0 if direction == "input" else 100
            self._known[direction] = [
                replace(device, index=start + place, is_default=not place) for place, device in enumerate(devices)
            ]

    def _opened(self, running: FakeOpenDevice) -> OpenDevice:
        self._may_go_on.wait()
        there = any(device.name == running.device.name for device in self.plugged[running.direction])
        if not there or running.device.name in self.refused:
            raise CommandError(f"{running.device.name} does not open")
        self.opened.append(running)
        return running
