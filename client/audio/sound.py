"""The sound card, where there is one. The only file that imports sounddevice, which may be missing or useless.

A machine may lack the package, its PortAudio library (an OSError at the import), or any device.
"""

import atexit
import ctypes
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any, Literal

from client.audio.beats import Beats, Form, HeardBeats, PlayedBeats
from client.audio.device_errors import not_there, unusable
from client.audio.device_list import DeviceList, Row, own_rate_hz
from client.audio.devices import Device, Direction, OpenDevice, Render
from client.audio.ring import Ring
from client.audio.sound_server import is_stand_in
from client.errors import CommandError
from client.messages import tr

NONE = "none"  # the name of no device, for those who want none
_BLOCKS_PER_S = 100  # left to itself, PortAudio takes blocks that vary from one sample on, and loses some of them
# The input's blocks come as quickly with a small buffer as with a large one. The output's buffer is what a busy machine
# may be late by; with PortAudio's small one (20 ms) PulseAudio runs dry at any rate that is not its sink's own.
_BUFFERS: dict[Direction, Literal["low", "high"]] = {"input": "low", "output": "high"}
_OTHER_RATES_HZ = (48_000, 44_100, 16_000)  # what devices take that refuse their own default


@cache
def library() -> Any | None:
    """sounddevice, or None."""
    try:
        import sounddevice  # noqa: PLC0415  # only here can its absence be borne
    except (ImportError, OSError):
        return None
    ctypes.CDLL(sounddevice._libname)  # noqa: SLF001  # or it would be unloaded at the end, under threads that hang in it
    return sounddevice


@dataclass(frozen=True)
class _Running:
    """A device that runs, by PortAudio."""

    device: Device
    _library: Any
    _beats: Beats
    _stream: Any

    @property
    def beats(self) -> int:
        """How often its thread came."""
        return self._beats.count

    @property
    def late(self) -> int:
        """How often it came too late."""
        return self._beats.late

    @property
    def latency_s(self) -> float:
        """Between its buffers and the air."""
        return self._beats.latency_s

    def is_active(self) -> bool:
        """Whether it says itself that it runs."""
        return bool(self._stream.active)

    def close(self) -> None:
        """Gives it back."""
        with _may_hang(self._library):
            self._stream.close()


class PortAudio:
    """A `SoundLibrary`. Without the library there are no devices."""

    def __init__(self, library: Any | None, clock: Callable[[], float] = time.perf_counter) -> None:
        self._library = library
        self._clock = clock
        self._accepted: dict[tuple[Direction, int], tuple[int, int]] = {}  # rate and channels that a device accepts

    @property
    def has_library(self) -> bool:
        """Whether there is anything to find devices with."""
        return self._library is not None

    def devices(self, direction: Direction) -> list[Device]:
        """All of them, at their own rates."""
        listed = DeviceList(self._library, direction)
        return [self._device(listed, row, own_rate_hz(row)) for row in listed.rows]

    def find(self, direction: Direction, wanted: str) -> Device | None:
        """The device of that name or number, or the machine's default; None where it is not there."""
        if wanted == NONE:
            return None
        listed = DeviceList(self._library, direction)
        row = listed.chosen(wanted)
        if row is None or (not wanted and is_stand_in(direction, row["name"])):
            return None
        return self._device(listed, row, self._accept(direction, row)[0])

    def open_input(self, device: Device, heard: Ring) -> OpenDevice:
        """Starts to write what it hears to the ring."""
        form = self._form("input", device)
        return self._open("input", device, form, HeardBeats(heard, form, self._clock))

    def open_output(self, device: Device, render: Render, played: Ring) -> OpenDevice:
        """Starts to play; what it was given goes to the ring as well."""
        form = self._form("output", device)
        return self._open("output", device, form, PlayedBeats(render, played, form, self._clock))

    def look_again(self) -> None:
        """Notices devices that came and went. All must be closed."""
        sound = self._library
        self._accepted.clear()
        if sound is None:
            return
        # PortAudio's list is made when it starts, and sounddevice has no public way to start it anew.
        try:
            with _may_hang(sound):
                while sound._initialized:  # noqa: SLF001
                    sound._terminate()  # noqa: SLF001
                sound._initialize()  # noqa: SLF001
        except sound.PortAudioError as error:
            raise CommandError(tr("the sound library does not start again ({reason})", reason=error)) from error

    def _open(self, direction: Direction, device: Device, form: Form, beats: Beats) -> OpenDevice:
        sound: Any = self._library
        stream_of = sound.RawInputStream if direction == "input" else sound.RawOutputStream
        with _may_hang(sound), _as_sentence(sound, direction, device):
            stream = stream_of(
                samplerate=device.rate_hz,
                blocksize=form.block_samples,
                device=device.index,
                channels=form.channels,
                dtype="int16",
                latency=_BUFFERS[direction],
                callback=beats,
            )
            beats.latency_s = stream.latency
            try:
                stream.start()
            except sound.PortAudioError:
                stream.close()
                raise
        return _Running(device, sound, beats, stream)

    def _device(self, listed: DeviceList, row: Row, rate_hz: int) -> Device:
        return Device(row["index"], row["name"], rate_hz, row["index"] == listed.default)

    def _form(self, direction: Direction, device: Device) -> Form:
        _, channels = self._accepted.get((direction, device.index), (device.rate_hz, 1))
        return Form(channels, device.rate_hz // _BLOCKS_PER_S, 1 / _BLOCKS_PER_S)

    def _accept(self, direction: Direction, row: Row) -> tuple[int, int]:
        """Its own rate and one channel, if it accepts them; it is asked once, for that may take a while."""
        key = (direction, row["index"])
        if key not in self._accepted:
            sound: Any = self._library
            check = sound.check_input_settings if direction == "input" else sound.check_output_settings
            most = row[f"max_{direction}_channels"]
            rates_hz = dict.fromkeys((own_rate_hz(row), *_OTHER_RATES_HZ))
            pairs = list(product(rates_hz, [count for count in dict.fromkeys((1, 2, most)) if count <= most]))
            self._accepted[key] = next((pair for pair in pairs if self._accepts(check, row["index"], *pair)), pairs[0])
        return self._accepted[key]

    def _accepts(self, check: Any, index: int, rate_hz: int, channels: int) -> bool:
        sound: Any = self._library
        try:
            check(device=index, channels=channels, dtype="int16", samplerate=rate_hz)
        except (ValueError, sound.PortAudioError):
            return False
        return True


@contextmanager
def _may_hang(library: Any) -> Iterator[None]:
    """For calls that a sound server may never answer: sounddevice must not wait for them at the program's end."""
    atexit.unregister(library._exit_handler)  # noqa: SLF001
    try:
        yield
    finally:
        atexit.register(library._exit_handler)  # noqa: SLF001


@contextmanager
def _as_sentence(library: Any, direction: Direction, device: Device) -> Iterator[None]:
    try:
        yield
    except (ValueError, library.PortAudioError) as error:
        raise unusable(direction, device, error) from error


def find(direction: Direction, wanted: str) -> Device | None:
    """The device of that name or number, or the machine's default; None if it has none. A wrong name is an error."""
    device = PortAudio(library()).find(direction, wanted)
    if device is None and wanted not in ("", NONE):
        raise not_there(direction, wanted)
    return device
