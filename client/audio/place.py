"""A microphone's or a loudspeaker's place: what is wanted there, what there is, and whether that lives."""

from client.audio.devices import Device, OpenDevice

# In looks, not in seconds: a program that was held up itself, or a laptop that slept, must not blame the devices.
LOOK_EVERY_S = 0.25
_DEAD_AFTER = 10  # without a beat: a device that wakes up takes all it gets at once, and then nothing for two seconds


class Place:
    """Keeps one device at a time."""

    def __init__(self, wanted: str) -> None:
        self.wanted = wanted  # by name; empty: the machine's default
        self.name = ""  # of the device that is there, or was until now
        self.device: OpenDevice | None = None
        self.is_missing = False  # and people were told so
        self._late_before = self._beats_before = 0  # of devices that are closed
        self._beats = 0
        self._looks = 0  # since it beat

    @property
    def late(self) -> int:
        """How often a device came too late here."""
        return self._late_before + (self.device.late if self.device is not None else 0)

    @property
    def beats(self) -> int:
        """How often a device's thread came here."""
        return self._beats_before + (self.device.beats if self.device is not None else 0)

    @property
    def latency_s(self) -> float:
        """Of the device that is there."""
        return self.device.latency_s if self.device is not None else 0.0

    def begin(self, device: Device) -> None:
        """It runs from now on."""
        self.name = device.name
        self._beats = self._looks = 0

    def is_dead(self) -> bool:
        """Whether its device runs no more. Asked at each look."""
        device = self.device
        if device is None:
            return False
        beats = device.beats
        self._looks = 0 if beats != self._beats else self._looks + 1
        self._beats = beats
        return self._looks >= _DEAD_AFTER or not device.is_active()

    def close(self) -> None:
        """Gives its device back. Where that hangs, there is none already."""
        if self.device is not None:
            device, self.device = self.device, None
            self._late_before += device.late
            self._beats_before += device.beats
            device.close()
