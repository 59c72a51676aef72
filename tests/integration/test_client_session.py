"""What a conversation does to the loudspeaker, and what is reported of it; over a real socket."""

import asyncio
import contextlib
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from client.conversation import Conversation, ConversationOptions
from client.errors import CommandError
from client.events import ConnectionLost, End, MicrophoneAudio, Mute, Outcome, SessionOpened, TypedText
from client.peers import Peer
from client.reply_file import AudioFile, audio_file
from client.session import Session, Work
from client.views.view import JsonView
from services.common.audio import read_wav
from services.common.channels import Connection
from services.common.tasks import cancel_and_wait
from superwhisper.assistant.v1 import assistant_pb2 as pb
from tests.fakes.assistant import ScriptedAssistant, ScriptedTurn
from tests.fakes.given_reply import GivenReply
from tests.fakes.loudspeaker import FakeLoudspeaker
from tests.support.client_command import lines_until, started
from tests.support.servers import loopback, serving
from tests.support.waiting import wait_until

RATE_HZ = 16_000
CHUNK = 1600
AUDIO = [np.full(CHUNK, 1000 + number, np.int16).tobytes() for number in range(10)]
ALL = b"".join(AUDIO)
LIMIT_S = 60.0
NEVER_S = 1e6


@dataclass
class Talk:
    """A turn that was typed, and its reply on its way."""

    assistant: ScriptedAssistant
    loudspeaker: FakeLoudspeaker
    session: Session
    shown: io.StringIO
    running: "asyncio.Task[None]"

    async def ended(self) -> None:
        """Once the whole turn was heard."""
        await asyncio.wait_for(self.running, LIMIT_S)

    async def waiting(self, samples: int) -> None:
        """Until the loudspeaker has that much to play."""
        await wait_until(lambda: self.loudspeaker.buffer.waiting_samples == samples, f"{samples} samples")

    async def told(self, words: str) -> None:
        """Until this is shown."""
        await wait_until(lambda: words in self.shown.getvalue(), words)


async def one_turn(session: Session) -> None:
    await session.conversation.give(TypedText("hello"))
    await session.turns.until(lambda: bool(session.turns.outcomes) or session.turns.gaps > 0)
    await session.settled()


@contextlib.asynccontextmanager
async def talking(
    assistant: ScriptedAssistant,
    address: str,
    *,
    report_every_s: float = 0.1,
    try_for_s: float = 15.0,
    file: AudioFile | None = None,
    drive: Work = one_turn,
) -> AsyncIterator[Talk]:
    peer, options = Peer("assistant", Connection(address)), ConversationOptions(output_rate_hz=RATE_HZ)
    player, shown = FakeLoudspeaker(RATE_HZ), io.StringIO()
    conversation = Conversation(peer, options, LIMIT_S, try_for_s)
    session = Session(conversation, JsonView(shown), player, file, report_every_s)
    running = asyncio.create_task(session.run(drive))
    try:
        yield Talk(assistant, player, session, shown, running)
    finally:
        running.cancel()
        await asyncio.wait([running])


async def test_a_pause_is_silent_and_nothing_is_lost_by_it() -> None:
    assistant = ScriptedAssistant([ScriptedTurn(audio=AUDIO, yields=pb.HOLD_MODE_PAUSE)])
    async with serving(assistant.service()) as address, talking(assistant, address) as talk:
        await talk.told("yielding")
        assert talk.loudspeaker.let_play(CHUNK) == bytes(2 * CHUNK)
        assert assistant.reply is not None
        assistant.reply.go_on()
        await talk.waiting(len(ALL) // 2)
        talk.loudspeaker.let_play(len(ALL) // 2)
        await talk.ended()
    assert assistant.playback[-1] == ("turn-1", len(ALL) // 2)
    assert talk.session.turns.outcomes == {"turn-1": Outcome.COMPLETED}
    heard = np.frombuffer(talk.loudspeaker.heard, np.int16)
    assert np.array_equal(heard[CHUNK + 160 :], np.frombuffer(ALL, np.int16)[160:])  # but for the ramp of 10 ms


async def test_a_ducked_reply_goes_on_softly() -> None:
    assistant = ScriptedAssistant([ScriptedTurn(audio=AUDIO, yields=pb.HOLD_MODE_DUCK)])
    async with serving(assistant.service()) as address, talking(assistant, address) as talk:
        await talk.told("yielding")
        await talk.waiting(len(ALL) // 2)
        assert max(np.frombuffer(talk.loudspeaker.let_play(CHUNK), np.int16)) < 200
        assert assistant.reply is not None
        assistant.reply.go_on()
        await wait_until(lambda: talk.shown.getvalue().count("speaking") == 2, "the reply to go on")
        assert talk.loudspeaker.let_play(CHUNK)[320:] == AUDIO[1][320:]  # but for the ramp
        talk.loudspeaker.let_play(len(ALL) // 2)
        await talk.ended()
    assert assistant.playback[-1] == ("turn-1", len(ALL) // 2)


async def test_what_was_heard_is_reported_at_once_when_the_reply_pauses() -> None:
    assistant = ScriptedAssistant([ScriptedTurn(audio=AUDIO)])
    async with serving(assistant.service()) as address, talking(assistant, address, report_every_s=NEVER_S) as talk:
        await talk.waiting(len(ALL) // 2)
        talk.loudspeaker.let_play(CHUNK)
        assert assistant.reply is not None
        assistant.reply.hold(pb.HOLD_MODE_PAUSE)
        await wait_until(lambda: assistant.playback == [("turn-1", CHUNK)], "the report")
        assistant.reply.cut("I am")
        await talk.told("interrupted")
        talk.loudspeaker.let_play(CHUNK)
        await talk.ended()


async def test_an_interrupted_reply_falls_silent() -> None:
    assistant = ScriptedAssistant([ScriptedTurn(audio=AUDIO)])
    async with serving(assistant.service()) as address, talking(assistant, address, report_every_s=NEVER_S) as talk:
        await talk.waiting(len(ALL) // 2)
        talk.loudspeaker.let_play(CHUNK)
        assert assistant.reply is not None
        assistant.reply.cut("I am")
        await talk.told("interrupted")
        after = np.frombuffer(talk.loudspeaker.let_play(2 * CHUNK), np.int16)
        await talk.ended()
    assert np.all(np.diff(after[:160]) <= 0)  # it fades out
    assert not after[160:].any()
    assert talk.session.turns.outcomes == {"turn-1": Outcome.INTERRUPTED}


async def test_who_leaves_a_reply_hears_no_more_of_it() -> None:
    left = asyncio.Event()

    async def leave(session: Session) -> None:
        await session.conversation.give(TypedText("hello"))
        await left.wait()

    assistant = ScriptedAssistant([ScriptedTurn(audio=AUDIO)])
    async with serving(assistant.service()) as address, talking(assistant, address, drive=leave) as talk:
        await talk.waiting(len(ALL) // 2)
        talk.loudspeaker.let_play(CHUNK)
        left.set()
        await talk.ended()
        after = np.frombuffer(talk.loudspeaker.let_play(2 * CHUNK), np.int16)
    assert assistant.commands == ["interrupt", "end"]
    assert not after[160:].any()  # but for what fades out


async def test_what_was_typed_and_never_sent_is_told() -> None:
    async def type_in_vain(session: Session) -> None:
        await session.turns.until(lambda: session.turns.is_resuming)
        await session.conversation.give(TypedText("hello there"))

    assistant = ScriptedAssistant([])
    async with contextlib.AsyncExitStack() as stack:
        async with serving(assistant.service(), loopback(drain_s=0)) as address:
            talk = await stack.enter_async_context(talking(assistant, address, drive=type_in_vain))
            await talk.told("session")
        await talk.ended()
    assert '"note", "text": "not sent: hello there"' in talk.shown.getvalue()
    assert talk.session.problems == ["a typed line was lost with the connection"]


@pytest.mark.parametrize("unreported", [0, 3, 9], ids=lambda chunks: f"{chunks} chunks")
async def test_a_resumed_reply_is_heard_once(unreported: int, tmp_path: Path) -> None:
    """What is played while the connection is lost counts, though it is sent again."""
    assistant, settings = ScriptedAssistant([ScriptedTurn(audio=AUDIO)]), loopback(drain_s=0)
    async with contextlib.AsyncExitStack() as stack:
        file = stack.enter_context(audio_file(tmp_path / "reply.wav"))
        async with serving(assistant.service(), settings) as address:
            talk = await stack.enter_async_context(talking(assistant, address, file=file))
            await talk.waiting(len(ALL) // 2)
            talk.loudspeaker.let_play(CHUNK)
            await wait_until(lambda: assistant.playback == [("turn-1", CHUNK)], "the report")
        await talk.told("connection_lost")
        talk.loudspeaker.let_play(unreported * CHUNK)
        async with serving(assistant.service(), settings):
            await talk.told('"resumed": true')
            left = len(ALL) // 2 - CHUNK - unreported * CHUNK
            await talk.waiting(left)
            talk.loudspeaker.let_play(left)
            await talk.ended()
    assert talk.loudspeaker.heard == ALL
    assert read_wav((tmp_path / "reply.wav").read_bytes(), "reply").samples.tobytes() == ALL
    assert talk.loudspeaker.opened == 1
    assert talk.session.turns.outcomes == {"turn-1": Outcome.COMPLETED}
    assert talk.session.problems == []


async def test_a_turn_that_ended_while_the_connection_was_lost_is_a_problem() -> None:
    assistant, settings = ScriptedAssistant([ScriptedTurn(audio=AUDIO)]), loopback(drain_s=0)
    async with contextlib.AsyncExitStack() as stack:
        async with serving(assistant.service(), settings) as address:
            talk = await stack.enter_async_context(talking(assistant, address))
            await talk.waiting(len(ALL) // 2)
        assistant.reply = None
        async with serving(assistant.service(), settings):
            await talk.ended()
    assert not any(talk.loudspeaker.let_play(CHUNK))
    assert talk.session.turns.outcomes == {"turn-1": Outcome.LOST}
    assert talk.session.problems == ["the connection was lost, and the end of a reply with it"]


async def test_a_reply_that_was_interrupted_while_the_connection_was_lost_makes_room_for_the_next() -> None:
    assistant, settings = ScriptedAssistant([ScriptedTurn(audio=AUDIO)]), loopback(drain_s=0)
    async with contextlib.AsyncExitStack() as stack:
        async with serving(assistant.service(), settings) as address:
            talk = await stack.enter_async_context(talking(assistant, address))
            await talk.waiting(len(ALL) // 2)
            talk.loudspeaker.let_play(CHUNK)
        assistant.reply = GivenReply("turn-2", ("Well.",), AUDIO[5:], RATE_HZ)
        async with serving(assistant.service(), settings):
            await talk.waiting(160 + 5 * CHUNK)  # what sounded fades out for 10 ms
            assert talk.loudspeaker.let_play(160 + 5 * CHUNK)[2 * 160 :] == b"".join(AUDIO[5:])
            await talk.ended()
    assert talk.session.turns.outcomes == {"turn-1": Outcome.LOST, "turn-2": Outcome.COMPLETED}
    assert talk.session.problems == ["the connection was lost, and the end of a reply with it"]


async def test_an_assistant_that_is_stopped_finishes_its_reply_and_nobody_comes_back_to_say_goodbye() -> None:
    assistant = ScriptedAssistant([ScriptedTurn(audio=AUDIO)])
    async with serving(assistant.service()) as address, talking(assistant, address) as talk:
        await talk.waiting(len(ALL) // 2)
        assistant.draining.set()
        talk.loudspeaker.let_play(len(ALL) // 2)
        await talk.ended()
    assert talk.session.turns.outcomes == {"turn-1": Outcome.COMPLETED}
    assert talk.session.problems == []
    assert len(assistant.configs) == 1


async def test_a_connection_that_does_not_come_back() -> None:
    assistant, settings = ScriptedAssistant([ScriptedTurn(audio=AUDIO)]), loopback(drain_s=0)
    async with contextlib.AsyncExitStack() as stack:
        async with serving(assistant.service(), settings) as address:
            talk = await stack.enter_async_context(talking(assistant, address, try_for_s=0))
            await talk.waiting(len(ALL) // 2)
        with pytest.raises(CommandError, match=f"^the connection to the assistant at {address} was lost; "):
            await talk.ended()


END = "the end of the conversation"


@contextlib.asynccontextmanager
async def listening(address: str, events: list[object]) -> AsyncIterator[Conversation]:
    """A conversation, all of which is kept."""

    keep = events.append

    async def read() -> None:
        async for event in conversation.events():
            keep(event.what)
        keep(END)

    options = ConversationOptions(input_rate_hz=RATE_HZ)
    conversation = Conversation(Peer("assistant", Connection(address)), options, LIMIT_S, try_for_s=15)
    reading = asyncio.create_task(read())
    try:
        yield conversation
    finally:
        await cancel_and_wait(reading)


def how_many(events: list[object], kind: type) -> int:
    return sum(isinstance(event, kind) for event in events)


async def test_what_the_microphone_hears_while_the_connection_is_lost_is_not_sent_later() -> None:
    assistant, settings, events = ScriptedAssistant([]), loopback(drain_s=0), list[object]()
    assistant.is_deaf = True

    async def give_much(conversation: Conversation) -> None:
        for _ in range(5000):
            await conversation.give(MicrophoneAudio(bytes(3200)))

    async with contextlib.AsyncExitStack() as stack:
        async with serving(assistant.service(), settings) as address:
            conversation = await stack.enter_async_context(listening(address, events))
            giving = asyncio.create_task(give_much(conversation))
            await wait_until(lambda: bool(assistant.unheard), "the first audio")
        assistant.is_deaf = False
        await wait_until(giving.done, "the rest of the audio, which goes nowhere")
        async with serving(assistant.service(), settings):
            await wait_until(lambda: how_many(events, SessionOpened) == 2, "the session to go on")
            await conversation.give(MicrophoneAudio(b"\1\1"))
            await wait_until(lambda: assistant.audio[-1:] == [b"\1\1"], "what is said then")
    assert len(assistant.audio) <= 2  # one waited for its place


async def test_what_is_typed_while_the_connection_is_lost_is_sent_later() -> None:
    assistant, settings, events = ScriptedAssistant([ScriptedTurn()]), loopback(drain_s=0), list[object]()
    async with contextlib.AsyncExitStack() as stack:
        async with serving(assistant.service(), settings) as address:
            conversation = await stack.enter_async_context(listening(address, events))
            await wait_until(lambda: how_many(events, SessionOpened) == 1, "the session")
        await wait_until(lambda: how_many(events, ConnectionLost) == 1, "the loss")
        assistant.is_stuck = True
        async with serving(assistant.service(), settings):
            await conversation.give(TypedText("hello"))
            await conversation.give(End())
            await wait_until(lambda: assistant.stuck > 0, "a connection that leads to nothing")
        assistant.is_stuck = False
        async with serving(assistant.service(), settings):
            await wait_until(lambda: events[-1] == END, "what was typed, and its reply")
    assert assistant.texts == ["hello"]
    assert how_many(events, SessionOpened) == 2


async def test_nobody_tries_to_come_back_only_to_leave() -> None:
    assistant, events = ScriptedAssistant([]), list[object]()
    async with contextlib.AsyncExitStack() as stack:
        async with serving(assistant.service(), loopback(drain_s=0)) as address:
            conversation = await stack.enter_async_context(listening(address, events))
            await wait_until(lambda: how_many(events, SessionOpened) == 1, "the session")
        await wait_until(lambda: how_many(events, ConnectionLost) == 1, "the loss")
        await conversation.give(Mute(muted=True))
        await conversation.give(End())
        await wait_until(lambda: events[-1] == END, END)


async def test_a_conversation_goes_on_after_the_assistant_was_stopped() -> None:
    """With another one, or with itself where it remembers."""
    assistant, settings, events = ScriptedAssistant([ScriptedTurn()]), loopback(), list[object]()
    async with contextlib.AsyncExitStack() as stack:
        async with serving(assistant.service(), settings) as address:
            conversation = await stack.enter_async_context(listening(address, events))
            await wait_until(lambda: how_many(events, SessionOpened) == 1, "the session")
            assistant.draining.set()
            await wait_until(lambda: how_many(events, ConnectionLost) == 1, "the end of the connection")
        assistant.draining.clear()
        async with serving(assistant.service(), settings):
            await wait_until(lambda: how_many(events, SessionOpened) == 2, "the session to go on")
            await conversation.give(TypedText("hello"))
            await wait_until(lambda: assistant.texts == ["hello"], "what was typed")


async def test_what_is_typed_while_the_assistant_is_restarted_is_answered(tmp_path: Path) -> None:
    assistant, settings = ScriptedAssistant([ScriptedTurn()] * 2), loopback()
    async with contextlib.AsyncExitStack() as stack:
        async with serving(assistant.service(), settings) as address:
            process = await stack.enter_async_context(started("talk", "--address", address, folder=tmp_path))
            await wait_until(lambda: assistant.commands == ["mute"], "the end of the recorded question")
            assistant.draining.set()
            await lines_until(process, "connection lost")
        assert process.stdin is not None
        process.stdin.write(b"hello\n")
        assistant.draining.clear()
        async with serving(assistant.service(), settings):
            await lines_until(process, "you: hello")
            out, error = await process.communicate(b"")
    assert (process.returncode, error) == (0, b"")
    assert b"not answered" not in out


async def test_an_assistant_that_was_restarted_and_remembers_nothing(tmp_path: Path) -> None:
    assistant, settings = ScriptedAssistant([ScriptedTurn()]), loopback()
    async with contextlib.AsyncExitStack() as stack:
        async with serving(assistant.service(), settings) as address:
            process = await stack.enter_async_context(started("talk", "--address", address, folder=tmp_path))
            await wait_until(lambda: assistant.commands == ["mute"], "the end of the recorded question")
            assistant.draining.set()
            await lines_until(process, "connection lost")
        async with serving(ScriptedAssistant([]).service(), settings):
            error = await process.stderr.read() if process.stderr is not None else b""
            code = await process.wait()
    sentence = "the assistant was restarted and has forgotten this conversation; start anew"
    assert (code, error.decode()) == (1, f"error: {sentence}\n")
