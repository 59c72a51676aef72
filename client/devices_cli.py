"""`superwhisper devices`: which microphones and loudspeakers there are, and whether they work."""

import json
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from client.audio.device_errors import not_there
from client.audio.devices import Device, Direction
from client.errors import CommandError
from client.messages import tr
from client.options import AsJson, common, examples

if TYPE_CHECKING:
    from client.audio.sound import PortAudio

EXAMPLES = examples(
    "devices",
    "devices --test",
    'devices --test --microphone "USB headset"',
    "devices --json",
)
_PIPE_WIDTH = 200  # columns for a log or a pipe, which have none of their own
_Name = Annotated[str, typer.Option(metavar="NAME", help="A name, a part of it or a number, if not as set.")]
_Listed = Mapping[Device, bool]  # and whether it is the one that is used


def devices(
    context: typer.Context,
    *,
    test: Annotated[bool, typer.Option("--test", help="Record three seconds, judge them and play them.")] = False,
    microphone: _Name = "",
    loudspeaker: _Name = "",
    as_json: AsJson = False,
) -> None:
    """List microphones and loudspeakers, or test those that are used.

    Used are those that client.microphone and client.loudspeaker name, or else the machine's default.

    Exit code 0 if there is a device, or if the test went well.
    """
    from client.audio.quiet import quiet_libraries  # noqa: PLC0415  # `--help` needs no sound
    from client.audio.sound import PortAudio, library  # noqa: PLC0415

    given = {"--client.microphone": microphone, "--client.loudspeaker": loudspeaker}
    client = common(context).client(*(part for flag, name in given.items() if name for part in (flag, name)))
    with quiet_libraries():
        port = PortAudio(library())
        if test:
            from client.device_test import run_test  # noqa: PLC0415

            is_good = run_test(port, client.microphone, client.loudspeaker, as_json=as_json)
        else:
            is_good = _list(port, client.microphone, client.loudspeaker, as_json=as_json)
    if not is_good:
        raise typer.Exit(1)


def _list(port: "PortAudio", microphone: str, loudspeaker: str, *, as_json: bool) -> bool:
    microphones, loudspeakers = _listed(port, "input", microphone), _listed(port, "output", loudspeaker)
    problem = "" if microphones or loudspeakers else no_devices(has_library=port.has_library)
    problem = problem or _missing("input", microphone, microphones) or _missing("output", loudspeaker, loudspeakers)
    if as_json:
        told = {
            "microphones": _for_programs(microphones),
            "loudspeakers": _for_programs(loudspeakers),
            "problem": problem or None,
        }
        sys.stdout.write(json.dumps(told, indent=2) + "\n")
        return not problem
    if microphones or loudspeakers:
        _show(microphones, loudspeakers)
    if problem:
        raise CommandError(problem)
    return True


def _missing(direction: Direction, wanted: str, listed: _Listed) -> str:
    """What is wrong where none is the one that was asked for."""
    from client.audio.sound import NONE  # noqa: PLC0415  # `--help` needs no sound

    return "" if wanted in ("", NONE) or any(listed.values()) else str(not_there(direction, wanted))


def no_devices(*, has_library: bool) -> str:
    """The sentence for a machine where nothing is heard or played, and what to do about it."""
    if not has_library:
        return tr(
            'the sound library is missing: install the extra "client" (pip install "superwhisper[client]"), '
            "and on Linux PortAudio (Debian, Ubuntu: apt install libportaudio2)"
        )
    return tr(
        "this machine shows neither microphone nor loudspeaker: plug one in, and allow its use "
        "(on Linux, a sound server must run: PipeWire or PulseAudio); `superwhisper doctor` tells more"
    )


def _listed(port: "PortAudio", direction: Direction, wanted: str) -> _Listed:
    used = port.find(direction, wanted)
    return {device: used is not None and device.index == used.index for device in port.devices(direction)}


def _for_programs(listed: _Listed) -> list[dict[str, Any]]:
    return [
        {
            "number": device.index,
            "name": device.name,
            "rate_hz": device.rate_hz,
            "is_default": device.is_default,
            "is_used": is_used,
        }
        for device, is_used in listed.items()
    ]


def _show(microphones: _Listed, loudspeakers: _Listed) -> None:
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    from client.views.printable import printable  # noqa: PLC0415

    console = Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH, highlight=False)
    for title, listed in ((tr("Microphones"), microphones), (tr("Loudspeakers"), loudspeakers)):
        console.print(Text(title, "bold"))
        table = Table(box=None, pad_edge=False, show_header=False)
        table.add_column(justify="right")
        table.add_column()
        table.add_column(justify="right", no_wrap=True)
        table.add_column()
        for device, is_used in listed.items():
            cells = (str(device.index), printable(device.name), f"{device.rate_hz} Hz", _marks(device, is_used=is_used))
            table.add_row(*map(Text, cells))
        console.print(table)
        if not any(listed.values()):
            console.print(Text(tr("none is used"), "yellow"))


def _marks(device: Device, *, is_used: bool) -> str:
    marks = {tr("default"): device.is_default, tr("used"): is_used}
    return ", ".join(mark for mark, is_so in marks.items() if is_so)
