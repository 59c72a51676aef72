"""The devices of a conversation, and what their libraries would write over it."""

import os
import subprocess
import sys
from contextlib import suppress

import pytest

from client.audio.devices import Device, Direction
from client.audio.playback import NoLoudspeaker
from client.audio.room import opened_room
from client.audio.speaker import Speaker
from client.errors import CommandError
from tests.fakes.sound_library import FakeSoundLibrary
from tests.support.shared_data import REPOSITORY

COMPLAINT = b"ALSA lib pcm.c: underrun\n"
TELLS_THREE_TIMES = """
import os, sys
from client.audio.quiet import quiet_libraries
with quiet_libraries():
    os.write(2, b"ALSA lib pcm.c: underrun") if sys.stderr else None
    for stream in (sys.stderr, sys.__stderr__):
        print("meanwhile", file=stream)
    with quiet_libraries():
        print("within", file=sys.stderr)
os.write(2, b"afterwards") if sys.stderr else None
print("done")
"""


class Complaining(FakeSoundLibrary):
    """Writes what troubles it past Python."""

    def find(self, direction: Direction, wanted: str) -> Device | None:
        os.write(2, COMPLAINT)
        return super().find(direction, wanted)


def run(*command: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_only_python_writes_to_the_standard_error_meanwhile() -> None:
    ended = run(sys.executable, "-c", TELLS_THREE_TIMES)
    assert (ended.stdout, ended.stderr) == ("done\n", "meanwhile\nmeanwhile\nwithin\nafterwards")


@pytest.mark.skipif(sys.platform == "win32", reason="there is no shell that closes it")
def test_a_program_without_a_standard_error_goes_on() -> None:
    ended = run("sh", "-c", 'exec "$@" 2>&-', "sh", sys.executable, "-c", TELLS_THREE_TIMES)
    assert (ended.returncode, ended.stdout.splitlines()[-1]) == (0, "done")


async def test_what_is_open_of_both_is_given_back(capfd: pytest.CaptureFixture[str]) -> None:
    library = Complaining()
    library.plug("input", "microphone")
    library.plug("output", "loudspeaker")
    library.look_again()
    async with opened_room("", "", lambda what: None, library) as room:
        assert (room.name("input"), room.name("output")) == ("microphone", "loudspeaker")
        assert isinstance(room.player, Speaker)
        library.beat()
        assert (room.callbacks, room.late) == (2, 0)
        os.write(2, COMPLAINT)
        print("a sentence", file=sys.stderr)
    assert not library.running
    assert capfd.readouterr().err == "a sentence\n"


async def test_without_devices_nobody_is_heard_and_nothing_played() -> None:
    async with opened_room("none", "none", lambda what: None, FakeSoundLibrary()) as room:
        assert (room.has_microphone, room.has_loudspeaker) == (False, False)
        assert isinstance(room.player, NoLoudspeaker)


async def test_libraries_are_heard_again_after_a_failure(capfd: pytest.CaptureFixture[str]) -> None:
    with suppress(CommandError):
        async with opened_room("gramophone", "", lambda what: None, Complaining()):
            raise AssertionError("there is none")
    os.write(2, b"heard")
    assert capfd.readouterr().err == "heard"
