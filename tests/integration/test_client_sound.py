"""`superwhisper talk` with a microphone and a loudspeaker that PulseAudio makes up."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import numpy as np
import pytest

from services.common.audio import Recording
from superwhisper.assistant.v1 import assistant_pb2 as pb
from tests.fakes.assistant import ScriptedAssistant, ScriptedTurn
from tests.support.client_command import lines_until, started
from tests.support.room import Room, made_room
from tests.support.servers import serving
from tests.support.tape import RATE_HZ as TAPE_HZ
from tests.support.tape import taping
from tests.support.waiting import wait_until

RATE_HZ = 16_000
QUIET = 10  # resampling makes a little noise of silence


def tone(seconds: float) -> bytes:
    time_s = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    return (np.sin(2 * np.pi * 440 * time_s) * 8000).astype(np.int16).tobytes()


def spoken(seconds: float) -> Recording:
    return Recording(np.frombuffer(tone(seconds), np.int16), RATE_HZ)


def chunks(audio: bytes) -> list[bytes]:
    return [audio[start : start + 32_000] for start in range(0, len(audio), 32_000)]


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with made_room(tmp_path / "room") as room:
        yield room


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


async def test_what_is_said_is_heard_and_the_reply_is_played(room: Room) -> None:
    reply = tone(1.0)
    assistant = ScriptedAssistant([ScriptedTurn(audio=chunks(reply))])
    async with taping(room, "speakers") as tape, talking(room, assistant) as process:
        await room.say(spoken(1.0))
        await lines_until(process, "turn_finished")
        # The script's samples were taken for samples of the loudspeaker's rate. A sine is loud 84 % of its time.
        expected_s = len(reply) / 2 / assistant.configs[0].output_format.sample_rate_hz * 0.84

        def loud_s() -> float:
            return int((np.abs(tape.between(0, tape.now).astype(np.int32)) > 2000).sum()) / TAPE_HZ

        await wait_until(lambda: loud_s() > 0.7 * expected_s, "the reply in the room")
        await wait_until(lambda: assistant.playback[-1:] == [("turn-1", len(reply) // 2)], "the whole reply played")
    assert loud_s() == pytest.approx(expected_s, rel=0.3)
    assert [turn for turn, _ in assistant.playback] == ["turn-1"] * len(assistant.playback)
    reported = [samples for _, samples in assistant.playback]
    assert reported == sorted(reported)


async def test_an_interrupted_reply_falls_silent_and_the_microphone_is_heard_again(room: Room) -> None:
    endless = ScriptedTurn(audio=chunks(tone(100)), interrupted="I am", outcome=pb.TURN_OUTCOME_INTERRUPTED)
    assistant = ScriptedAssistant([endless, ScriptedTurn(audio=())])
    async with talking(room, assistant) as process:
        await room.say(spoken(1.0))
        await lines_until(process, "turn_finished")
        await room.say(spoken(1.0))
        await lines_until(process, "turn_finished")
    assert all(samples < 50 * RATE_HZ for _, samples in assistant.playback)


async def test_it_does_not_hear_itself(room: Room) -> None:
    room.do("echo", "ON")
    reply = tone(3.0)
    assistant = ScriptedAssistant([ScriptedTurn(audio=chunks(reply)), ScriptedTurn(audio=())])
    async with talking(room, assistant) as process:
        await room.say(spoken(1.0))
        await lines_until(process, "turn_finished")
        await wait_until(lambda: assistant.playback[-1:] == [("turn-1", len(reply) // 2)], "the whole reply played")
        messages = len(assistant.audio)
        await wait_until(lambda: len(assistant.audio) > messages + 100, "two more seconds of the microphone")
        after = np.frombuffer(b"".join(assistant.audio[messages:]), np.int16)
        assert np.abs(after).max() < QUIET  # nor what was left of the reply in the room
    assert len(assistant.playback) > 1


async def test_a_sound_card_that_goes_and_comes_is_told_and_the_conversation_goes_on(room: Room) -> None:
    assistant = ScriptedAssistant([ScriptedTurn(audio=chunks(tone(1.0))), ScriptedTurn(audio=chunks(tone(1.0)))])
    async with talking(room, assistant) as process:
        await room.say(spoken(1.0))
        await lines_until(process, "turn_finished")
        room.do("down")
        await lines_until(process, '"is_there": false')
        room.do("up")
        back = await lines_until(process, '"is_there": true')
        if "input" not in back[-1]:
            await lines_until(process, '"direction": "input"')
        await room.say(spoken(1.0))
        await lines_until(process, "turn_finished")
    assert len(assistant.configs) == 1  # the same conversation
    assert {turn for turn, _ in assistant.playback} >= {"turn-1"}
