"""The sound card, where there is one. The only file that imports sounddevice, which may be missing or useless.

A machine may lack the package, its PortAudio library (an OSError at the import), or any device.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from client.errors import CommandError
from services.common.audio import MAX_RATE_HZ

Direction = Literal["input", "output"]
NONE = "none"  # the name of no device, for those who want none
_WORDS: dict[Direction, str] = {"input": "microphone", "output": "loudspeaker"}


@dataclass(frozen=True)
class Device:
    """A microphone or a loudspeaker."""

    index: int
    name: str
    rate_hz: int


@cache
def library() -> Any | None:
    """sounddevice, or None."""
    try:
        import sounddevice  # noqa: PLC0415  # only here can its absence be borne
    except (ImportError, OSError):
        return None
    return sounddevice


def find(direction: Direction, wanted: str) -> Device | None:
    """The device of that name or number, or the machine's default; None if it has none. A wrong name is an error."""
    if wanted == NONE:
        return None
    sound = library()
    if sound is None:
        if wanted:
            raise CommandError(f"the {_WORDS[direction]} {wanted!r} cannot be used: {_why_no_sound()}")
        return None
    try:
        found = sound.query_devices(int(wanted) if wanted.isdigit() else wanted or None, direction)
    except (ValueError, sound.PortAudioError) as error:
        if wanted:
            raise CommandError(f"there is no {_WORDS[direction]} {wanted!r}; there is: {_names(direction)}") from error
        return None
    return Device(found["index"], found["name"], min(int(found["default_samplerate"]), MAX_RATE_HZ))


def unusable(direction: Direction, device: Device, error: Exception) -> CommandError:
    """The sentence for a device that does not open."""
    word = _WORDS[direction]
    return CommandError(f"the {word} {device.name!r} cannot be used ({error}); name another: client.{word}")


def _why_no_sound() -> str:
    return "the sound library is missing (Debian: apt install libportaudio2; and the extra `client`)"


def _names(direction: Direction) -> str:
    sound = library()
    devices = sound.query_devices() if sound is not None else ()
    names = [device["name"] for device in devices if device[f"max_{direction}_channels"]]
    return ", ".join(names) or "none"
