"""`superwhisper talk` with a microphone and a loudspeaker that PulseAudio makes up."""

import asyncio
import contextlib
import ctypes.util
import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from services.common.audio import Recording, read_wav, write_wav
from superwhisper.assistant.v1 import assistant_pb2 as pb
from tests.fakes.assistant import ScriptedAssistant, ScriptedTurn
from tests.support.client_command import lines_until, started
from tests.support.servers import serving
from tests.support.shared_data import shared_data
from tests.support.waiting import wait_until

RATE_HZ = 16_000
QUIET = 10  # resampling makes a little noise of silence
NEEDED = ("pulseaudio", "pactl", "paplay", "parec")


def tone(seconds: float) -> bytes:
    time_s = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    return (np.sin(2 * np.pi * 440 * time_s) * 8000).astype(np.int16).tobytes()


def chunks(audio: bytes) -> list[bytes]:
    return [audio[start : start + 32_000] for start in range(0, len(audio), 32_000)]


@dataclass(frozen=True)
class Room:
    """A room with a microphone and a loudspeaker in it."""

    script: Path
    folder: Path

    def do(self, *words: str | Path) -> str:
        """What the script of shared/audio does."""
        environment = {**os.environ, "VIRTUAL_AUDIO_DIR": str(self.folder)}
        command = ["bash", str(self.script), *map(str, words)]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True).stdout

    def environment(self) -> dict[str, str]:
        """What makes it the sound card of a program."""
        exports = shlex.split(self.do("env").replace("export ", ""))
        pulse = dict(export.split("=", 1) for export in exports)
        settings = {"SUPERWHISPER_CLIENT__MICROPHONE": "", "SUPERWHISPER_CLIENT__LOUDSPEAKER": ""}
        return {**pulse, **settings}

    async def say(self, seconds: float) -> None:
        """A tone is heard in the room, from its beginning to its end."""
        path = self.folder / "said.wav"
        path.write_bytes(write_wav(Recording(np.frombuffer(tone(seconds), np.int16), RATE_HZ)))
        await asyncio.to_thread(self.do, "say", path)


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    script = shared_data("audio/virtual-audio.sh")
    missing = [program for program in NEEDED if shutil.which(program) is None]
    if ctypes.util.find_library("portaudio") is None or not Path("/usr/share/alsa/alsa.conf").exists():
        missing.append("PortAudio with ALSA")
    if missing:
        pytest.skip(f"this machine has no {', '.join(missing)}")
    room = Room(script, tmp_path / "room")
    room.do("up")
    try:
        yield room
    finally:
        room.do("down")


@contextlib.asynccontextmanager
async def talking(room: Room, assistant: ScriptedAssistant) -> AsyncIterator[asyncio.subprocess.Process]:
    """The client, listening in the room; ended by Ctrl-C."""
    async with (
        serving(assistant.service()) as address,
        started("talk", "--json", "--address", address, environment=room.environment()) as process,
    ):
        await wait_until(lambda: bool(assistant.audio), "audio of the microphone")
        yield process
        process.send_signal(signal.SIGINT)
        await process.communicate()
        assert process.returncode == 130


async def test_what_is_said_is_heard_and_the_reply_is_played(room: Room, tmp_path: Path) -> None:
    reply = tone(1.0)
    assistant = ScriptedAssistant([ScriptedTurn(audio=chunks(reply))])
    async with talking(room, assistant) as process:
        recorded = tmp_path / "played.wav"
        recording = asyncio.create_task(asyncio.to_thread(room.do, "record", recorded, "6"))
        await room.say(1.0)
        await lines_until(process, "turn_finished")
        rate_hz = assistant.configs[0].output_format.sample_rate_hz
        await wait_until(lambda: assistant.playback[-1:] == [("turn-1", len(reply) // 2)], "the whole reply played")
        await recording
    # The script's samples were taken for samples of the loudspeaker's rate.
    loud = np.abs(read_wav(recorded.read_bytes(), "played").samples) > 2000
    assert loud.sum() / 48_000 == pytest.approx(len(reply) / 2 / rate_hz * 0.84, rel=0.3)  # a sine is loud 84 % of it
    assert [turn for turn, _ in assistant.playback] == ["turn-1"] * len(assistant.playback)
    reported = [samples for _, samples in assistant.playback]
    assert reported == sorted(reported)


async def test_an_interrupted_reply_falls_silent_and_the_microphone_is_heard_again(room: Room) -> None:
    endless = ScriptedTurn(audio=chunks(tone(100)), interrupted="I am", outcome=pb.TURN_OUTCOME_INTERRUPTED)
    assistant = ScriptedAssistant([endless, ScriptedTurn(audio=())])
    async with talking(room, assistant) as process:
        await room.say(1.0)
        await lines_until(process, "turn_finished")
        await room.say(1.0)
        await lines_until(process, "turn_finished")
    assert all(samples < 50 * RATE_HZ for _, samples in assistant.playback)


async def test_it_does_not_hear_itself(room: Room) -> None:
    room.do("echo", "ON")
    reply = tone(3.0)
    assistant = ScriptedAssistant([ScriptedTurn(audio=chunks(reply)), ScriptedTurn(audio=())])
    async with talking(room, assistant) as process:
        await room.say(1.0)
        await lines_until(process, "turn_finished")
        await wait_until(lambda: assistant.playback[-1:] == [("turn-1", len(reply) // 2)], "the whole reply played")
        messages = len(assistant.audio)
        await wait_until(lambda: len(assistant.audio) > messages + 100, "two more seconds of the microphone")
        after = np.frombuffer(b"".join(assistant.audio[messages:]), np.int16)
        assert np.abs(after).max() < QUIET  # nor what was left of the reply in the room
    assert len(assistant.playback) > 1
