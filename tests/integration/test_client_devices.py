"""Microphones and loudspeakers that PulseAudio makes up: listed, tested, unplugged, and back."""

import asyncio
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from services.common.audio import Recording, read_wav
from tests.support.client_command import started, superwhisper
from tests.support.room import Room, made_room
from tests.support.shared_data import REPOSITORY
from tests.support.sound_card_program import frozen, running
from tests.support.waiting import BOUND_S

RATE_HZ = 16_000


def tone(seconds: float, loudness: float) -> Recording:
    time_s = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    wave = np.sin(2 * np.pi * 440 * time_s) * loudness * 2**15
    return Recording(wave.clip(-(2**15), 2**15 - 1).astype(np.int16), RATE_HZ)


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with made_room(tmp_path / "room") as room:
        yield room


async def without_sound(*arguments: str) -> tuple[int | None, str, str]:
    """How `superwhisper devices` ends where the sound library is not installed."""
    command = ("-m", "tests.support.closed_imports", '["sounddevice"]', "client", "devices", *arguments)
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(sys.executable, *command, stdout=pipe, stderr=pipe, cwd=REPOSITORY)
    out, err = await asyncio.wait_for(process.communicate(), BOUND_S)
    return process.returncode, out.decode(), err.decode()


# --- the command


async def test_devices_are_listed_and_those_in_use_marked(room: Room) -> None:
    room.name_its_devices()
    ended = await superwhisper("devices", "--microphone", "room_mic", environment=room.environment())
    assert (ended.code, ended.err) == (0, "")
    microphones, _, loudspeakers = ended.out.partition("Loudspeakers")
    assert microphones.startswith("Microphones\n")
    marks = {
        line.split()[1]: line.split("Hz")[1].strip() for line in (microphones + loudspeakers).splitlines()[1:] if line
    }
    assert marks == {"room_microphone": "", "room_loudspeaker": "", "pulse": "", "default": "default, used"}
    assert [line.split("Hz")[1].strip() for line in microphones.splitlines() if "room_microphone" in line] == ["used"]


async def test_devices_for_programs(room: Room) -> None:
    ended = await superwhisper("devices", "--json", environment=room.environment())
    told = json.loads(ended.out)
    assert (ended.code, told["problem"]) == (0, None)
    for listed in (told["microphones"], told["loudspeakers"]):
        assert [device["name"] for device in listed if device["is_used"]] == ["default"]
        assert all(8_000 <= device["rate_hz"] <= 48_000 for device in listed)


async def test_a_machine_without_sound_gets_advice() -> None:
    code, out, err = await without_sound()
    assert (code, out) == (1, "")
    assert "apt install libportaudio2" in err
    code, out, _ = await without_sound("--json")
    told = json.loads(out)
    assert (code, told["microphones"], told["loudspeakers"]) == (1, [], [])
    assert told["problem"] in err
    code, _, err = await without_sound("--test")
    assert code == 1
    assert "there is no microphone to test" in err


async def test_a_wrong_name_is_told(room: Room) -> None:
    for command in (("devices", "--test"), ("devices",)):
        ended = await superwhisper(*command, "--microphone", "gramophone", environment=room.environment())
        assert ended.code == 1
        assert "there is no microphone gramophone" in ended.err
    ended = await superwhisper("devices", "--json", "--loudspeaker", "gramophone", environment=room.environment())
    assert ended.code == 1
    assert "there is no loudspeaker gramophone" in json.loads(ended.out)["problem"]


@pytest.mark.parametrize(("loudness", "verdict", "code"), [(0.3, "fine", 0), (0.0, "silent", 1)])
async def test_what_is_said_is_judged(room: Room, loudness: float, verdict: str, code: int) -> None:
    async with started("devices", "--test", "--json", environment=room.environment()) as process:
        assert process.stderr is not None
        assert b"speak now" in await asyncio.wait_for(process.stderr.readline(), BOUND_S)
        await room.say(tone(4.0, loudness))
        out, _ = await asyncio.wait_for(process.communicate(), BOUND_S)
    told = json.loads(out)
    assert (told["verdict"], process.returncode) == (verdict, code)
    assert told["mean_dbfs"] <= told["peak_dbfs"] <= 0


async def test_what_was_said_is_played(room: Room, tmp_path: Path) -> None:
    recorded = tmp_path / "played.wav"
    recording = asyncio.create_task(asyncio.to_thread(room.do, "record", recorded, "12"))
    async with started("devices", "--test", environment=room.environment()) as process:
        assert process.stdout is not None
        assert b"speak now" in await asyncio.wait_for(process.stdout.readline(), BOUND_S)
        await room.say(tone(4.0, 0.3))
        out, err = await asyncio.wait_for(process.communicate(), BOUND_S)
    await recording
    assert (process.returncode, err) == (0, b"")
    assert b"the microphone hears you well" in out
    played = np.abs(read_wav(recorded.read_bytes(), "played").samples)
    assert np.count_nonzero(played > 2000) / 48_000 > 1.0


# --- what stays open


async def test_a_sound_server_that_ends_is_back_as_soon_as_it_runs(room: Room) -> None:
    async with running(room) as program:
        await program.hears_and_plays()
        room.do("down")
        assert await program.changes(2) == {("input", "default", False), ("output", "default", False)}
        room.do("up")
        assert await program.changes(2) == {("input", "default", True), ("output", "default", True)}
        await program.hears_and_plays()


async def test_an_unplugged_microphone_is_not_replaced_by_the_loudspeaker(room: Room) -> None:
    async with running(room) as program:
        await program.hears_and_plays()
        room.unplug_microphone()
        assert await program.changes(1) == {("input", "default", False)}
        await program.plays()
        room.plug_microphone()
        assert await program.changes(1) == {("input", "default", True)}
        await program.hears_and_plays()


async def test_a_named_microphone_is_waited_for(room: Room) -> None:
    room.name_its_devices()
    async with running(room, microphone="room_microphone") as program:
        await program.hears_and_plays()
        room.do("down")
        assert ("input", "room_microphone", False) in await program.changes(2)
        room.do("up")
        assert ("input", "room_microphone", True) in await program.changes(2)
        await program.hears_and_plays()


async def test_a_frozen_sound_server_is_told_and_does_not_hold_up_the_end(room: Room) -> None:
    async with running(room) as program:
        await program.hears_and_plays()
        with frozen(room):
            assert len(await program.changes(2)) == 2
            await program.end()


async def test_a_frozen_sound_server_is_back_once_it_thaws(room: Room) -> None:
    async with running(room) as program:
        await program.hears_and_plays()
        with frozen(room):
            assert {is_there for *_, is_there in await program.changes(2)} == {False}
        assert {is_there for *_, is_there in await program.changes(2)} == {True}
        await program.hears_and_plays()
