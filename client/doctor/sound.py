"""Sound: a microphone and a loudspeaker that may be used, echo cancellation and the wake word."""

import os
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Protocol

from client.audio.devices import Direction
from client.config import ClientSection, EchoSetting, Listening
from client.doctor.check import Finding, not_applicable, ok, problem, warning
from client.doctor.outside import in_thread, run_python
from client.errors import CommandError
from client.messages import tr

_NONE = "none"
_CANCELS = "from livekit.rtc import AudioProcessingModule; AudioProcessingModule(echo_cancellation=True)"
_WAKES = "from pymicro_wakeword import MicroWakeWord, Model; MicroWakeWord.from_builtin(Model(sys.argv[1]))"


class Found(Protocol):
    """What is told of a device."""

    @property
    def name(self) -> str:
        """As its system calls it."""

    @property
    def rate_hz(self) -> int:
        """Samples per second."""


class Find(Protocol):
    """As `find` of client/audio/sound.py."""

    def __call__(self, direction: Direction, wanted: str, /) -> Found | None:
        """The device of that name or number, or the default; None where there is none."""


def _find(direction: Direction, wanted: str) -> Found | None:
    from client.audio.sound import find  # noqa: PLC0415  # it loads the sound library

    return find(direction, wanted)


async def look_at_devices(client: ClientSection, find: Find = _find) -> Sequence[Finding]:
    """The devices that `talk` would open."""
    wanted: tuple[tuple[Direction, str, str], ...] = (
        ("input", tr("microphone"), client.microphone),
        ("output", tr("loudspeaker"), client.loudspeaker),
    )
    findings = []
    for direction, name, device in wanted:
        if device == _NONE:
            findings.append(not_applicable(name, tr("none is wanted, by the settings")))
        else:
            findings.append(await in_thread(partial(_device, find, direction, name, device)))
    return findings


def _device(find: Find, direction: Direction, name: str, wanted: str) -> Finding:
    setting = "microphone" if direction == "input" else "loudspeaker"
    try:
        device = find(direction, wanted)
    except CommandError as error:
        return problem(name, str(error), tr("superwhisper devices, then set client.{setting}", setting=setting))
    if device is not None:
        return ok(name, tr("{device}, {rate} Hz", device=device.name, rate=device.rate_hz))
    return warning(name, tr("there is none that may be used: text and files work, voice does not"), _permission_mend())


def _permission_mend() -> str:
    if place := _permission_place(sys.platform):
        return tr("plug one in, and allow it: {place}", place=place)
    return tr("plug one in; see `superwhisper devices`")


def _permission_place(platform: str) -> str:
    """Where the microphone is allowed to programs; empty where nobody has to ask."""
    places = {
        "darwin": tr("System Settings → Privacy & Security → Microphone"),
        "win32": tr("Settings → Privacy & security → Microphone → Let desktop apps access your microphone"),
    }
    return places.get(platform, "")


async def look_at_sound_system(
    environment: Mapping[str, str] = os.environ, sound_folder: Path = Path("/dev/snd"), platform: str = sys.platform
) -> Sequence[Finding]:
    """On Linux, who plays: a sound server, or the card itself with the right to it."""
    name = tr("sound system")
    if place := _permission_place(platform):
        return [not_applicable(name, tr("if nothing is heard of you: {place}", place=place))]
    if not platform.startswith("linux"):
        return [not_applicable(name, tr("nothing is known of this system"))]
    return [await in_thread(lambda: _linux(name, environment, sound_folder))]


def _linux(name: str, environment: Mapping[str, str], sound_folder: Path) -> Finding:
    server = _server(environment)
    if server:
        return ok(name, server)
    cards = sorted(sound_folder.glob("pcm*"))
    if not cards:
        return warning(
            name, tr("neither a sound server nor a sound card"), "systemctl --user start pipewire pipewire-pulse"
        )
    if not os.access(cards[0], os.R_OK | os.W_OK):
        found = tr("no sound server, and you may not use the sound card")
        return problem(name, found, "sudo usermod -aG audio $USER && newgrp audio")
    return ok(name, tr("the sound card itself (ALSA): one program at a time"))


def _server(environment: Mapping[str, str]) -> str:
    """PulseAudio's protocol and PipeWire's, by the sockets where they listen."""
    if told := environment.get("PULSE_SERVER"):
        return f"PulseAudio ({told})"
    runtime = Path(environment.get("XDG_RUNTIME_DIR") or f"/run/user/{getattr(os, 'getuid', int)()}")
    for title, socket in (("PipeWire", runtime / "pipewire-0"), ("PulseAudio", runtime / "pulse" / "native")):
        if socket.exists():
            return f"{title} ({socket})"
    return ""


async def look_at_hearing(client: ClientSection) -> Sequence[Finding]:
    """What tells the assistant's own voice from yours, and what hears the wake word."""
    return [await _echo(client.echo), await _wake_word(client)]


async def _echo(setting: EchoSetting) -> Finding:
    name = tr("echo cancellation")
    if setting in (EchoSetting.OFF, EchoSetting.HALF_DUPLEX):
        return not_applicable(name, tr("not wanted, by the settings (client.echo: {setting})", setting=setting))
    ended = await run_python(_CANCELS)
    if ended.code == 0:
        return ok(name, tr("it can run"))
    make = problem if setting is EchoSetting.CANCEL else warning
    found = tr("it cannot run ({reason}): it does not listen while it speaks", reason=ended.last_line)
    return make(name, found, 'pip install "superwhisper[client]"')


async def _wake_word(client: ClientSection) -> Finding:
    name = tr("wake word")
    ended = await run_python(f"import sys; {_WAKES}", client.wake_word)
    if ended.code == 0:
        return ok(name, client.wake_word)
    found = tr("{word} cannot be heard ({reason})", word=client.wake_word, reason=ended.last_line)
    if client.listen is Listening.WAKE_WORD:
        return problem(
            name, found, tr("{command}, or set client.listen: continuous", command='pip install "superwhisper[client]"')
        )
    return not_applicable(name, tr("{found}; it is not asked for", found=found))
