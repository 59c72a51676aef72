"""What the rest of the client knows of sound devices: no sound library here."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from client.audio.ring import Ring
from services.common.audio import Samples

Direction = Literal["input", "output"]
Render = Callable[[Samples], None]  # fills the sound card's buffer; called in its thread, where nobody may wait


@dataclass(frozen=True)
class Device:
    """A microphone or a loudspeaker."""

    index: int
    name: str
    rate_hz: int
    is_default: bool = False


class Mouthpiece(Protocol):
    """What plays on the loudspeaker that is there at the moment."""

    def attach(self, rate_hz: int, latency_s: Callable[[], float]) -> Render:
        """A loudspeaker is about to start: what it is to play. `latency_s` tells the truth once it runs."""

    def detach(self) -> None:
        """It is gone; what was not heard yet waits for the next one."""


class OpenDevice(Protocol):
    """A device that runs."""

    @property
    def device(self) -> Device:
        """Which one."""

    @property
    def beats(self) -> int:
        """How often its thread came; where that stands still, it is dead."""

    @property
    def late(self) -> int:
        """How often it came too late: samples were lost, or silence was played in between."""

    @property
    def latency_s(self) -> float:
        """From its buffers to the air, or from the air to its buffers."""

    def is_active(self) -> bool:
        """Whether it says itself that it runs."""

    def close(self) -> None:
        """Gives it back."""


class SoundLibrary(Protocol):
    """Finds and opens devices (sound.py, by PortAudio)."""

    def find(self, direction: Direction, wanted: str) -> Device | None:
        """The device of that name or number, or the machine's default; None where it is not there."""

    def open_input(self, device: Device, heard: Ring) -> OpenDevice:
        """Starts to write what it hears to the ring."""

    def open_output(self, device: Device, render: Render, played: Ring) -> OpenDevice:
        """Starts to play; what it was given goes to the ring as well."""

    def look_again(self) -> None:
        """Notices devices that came and went. All must be closed."""
