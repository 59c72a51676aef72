"""What PulseAudio and PipeWire do behind the sound library's back.

To it there is one device, "default", which never goes. Where the microphone was unplugged the server lets it record
what the loudspeaker plays, and where there is no loudspeaker at all it plays into nothing. The server itself tells.
"""

import os
import shutil
import subprocess

from client.audio.devices import Direction

_NAMES = frozenset({"default", "pulse", "pipewire"})  # how ALSA calls the server's devices
_LIMIT_S = 1.0  # it is asked by whoever may wait, but a server that hangs must not hang them
_LABELS: dict[Direction, str] = {"input": "Source", "output": "Sink"}
_NOTHING = frozenset({"", "(null)", "n/a", "@DEFAULT_SOURCE@", "@DEFAULT_SINK@"})


def is_stand_in(direction: Direction, device_name: str) -> bool:
    """Whether nothing real is behind the default device. Where no such server is to be asked, the device is real."""
    if device_name not in _NAMES:
        return False
    default = _default(direction)
    if default is None:
        return False
    return default in _NOTHING or (default.endswith(".monitor") if direction == "input" else default == "auto_null")


def _default(direction: Direction) -> str | None:
    """The server's own name of its default device."""
    program = shutil.which("pactl")
    if program is None:
        return None
    try:
        told = subprocess.run(  # noqa: S603  # nothing of it comes from outside
            [program, "info"],
            env={**os.environ, "LC_ALL": "C"},
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_LIMIT_S,
            check=True,
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    label = f"Default {_LABELS[direction]}: "
    return next((line.removeprefix(label).strip() for line in told.splitlines() if line.startswith(label)), None)
