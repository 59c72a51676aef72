"""A room with a microphone and a loudspeaker in it, made up by PulseAudio: ../shared/audio/virtual-audio.sh."""

import asyncio
import contextlib
import ctypes.util
import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from services.common.audio import Recording, write_wav
from tests.support.shared_data import shared_data

_NEEDED = ("pulseaudio", "pactl", "paplay", "parec")


@dataclass(frozen=True)
class Room:
    """Its loudspeaker is heard by its microphone only with `echo`."""

    script: Path
    folder: Path

    @property
    def _devices(self) -> Path:
        """What ALSA shows. The script writes its own file anew at each `up`, and PortAudio dies of half a file."""
        return self.folder / "devices.conf"

    def open(self) -> None:
        """Begins to be there."""
        self.do("up")
        shutil.copy(self.folder / "asound.conf", self._devices)

    def do(self, *words: str | Path) -> str:
        """What the script of shared/audio does."""
        environment = {**os.environ, "VIRTUAL_AUDIO_DIR": str(self.folder)}
        command = ["bash", str(self.script), *map(str, words)]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True).stdout

    def pactl(self, *words: str) -> str:
        """Asks its sound server for something."""
        environment = {**os.environ, **self.variables()}
        command = ["pactl", *words]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=20, check=True).stdout

    def variables(self) -> dict[str, str]:
        """What leads a program to its sound server."""
        exports = shlex.split(self.do("env").replace("export ", ""))
        return {**dict(export.split("=", 1) for export in exports), "ALSA_CONFIG_PATH": str(self._devices)}

    def environment(self) -> dict[str, str]:
        """What makes it the sound card of the client."""
        settings = {"SUPERWHISPER_CLIENT__MICROPHONE": "", "SUPERWHISPER_CLIENT__LOUDSPEAKER": ""}
        return {**self.variables(), **settings}

    def unplug_microphone(self) -> None:
        """Takes it away. The sound server then lets everybody record what the loudspeaker plays instead."""
        self.pactl("unload-module", "module-remap-source")

    def plug_microphone(self) -> None:
        """Puts it back."""
        self.pactl("load-module", "module-remap-source", "source_name=microphone", "master=room.monitor")

    def name_its_devices(self) -> None:
        """Gives programs a `room_microphone` and a `room_loudspeaker` to choose, beside the default ones."""
        named = (
            "pcm.room_microphone { type pulse device microphone }",
            "pcm.room_loudspeaker { type pulse device speakers }",
        )
        self._devices.write_text("\n".join([self._devices.read_text(), *named, ""]))

    async def say(self, recording: Recording) -> None:
        """Somebody says it in the room, from its beginning to its end."""
        path = self.folder / "said.wav"
        path.write_bytes(write_wav(recording))
        await asyncio.to_thread(self.do, "say", path)


@contextlib.contextmanager
def made_room(folder: Path) -> Iterator[Room]:
    """One of its own, gone at the end; skips the test where there can be none."""
    script = shared_data("audio/virtual-audio.sh")
    missing = [program for program in _NEEDED if shutil.which(program) is None]
    if ctypes.util.find_library("portaudio") is None or not Path("/usr/share/alsa/alsa.conf").exists():
        missing.append("PortAudio with ALSA")
    if missing:
        pytest.skip(f"this machine has no {', '.join(missing)}")
    room = Room(script, folder)
    room.open()
    try:
        yield room
    finally:
        room.do("down")
