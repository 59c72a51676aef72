"""Calls of the client over a real socket: how they end, and that nothing of them is left."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

import pytest

from client.conversation import Conversation, ConversationOptions
from client.errors import CommandError
from client.events import End, MicrophoneAudio, ReplyText, SessionOpened, TurnFinished, TypedText
from client.peers import Peer
from services.common.channels import Connection
from services.common.errors import EngineFailedError, OutOfRangeError
from superwhisper.tts.v1 import tts_pb2, tts_pb2_grpc
from tests.fakes.assistant import ScriptedAssistant, ScriptedTurn
from tests.support.scripted import scripted_service
from tests.support.servers import serving
from tests.support.waiting import wait_until

BUSY_CALLS = 20  # of which nine of ten lose their status without exchange()
LIMIT_S = 20.0


def peer(address: str, name: str = "assistant") -> Peer:
    return Peer(name, Connection(address))


async def test_a_refusal_reaches_a_client_that_is_still_sending() -> None:
    async def refuse(requests, context):  # type: ignore[no-untyped-def]
        async for _ in requests:
            raise OutOfRangeError("that is too much", field="text_delta")
        yield tts_pb2.StreamingSynthesizeResponse()

    async with serving(scripted_service(duplex=refuse)) as address:
        errors = [await _error_of_busy_call(peer(address, "tts")) for _ in range(BUSY_CALLS)]
    assert [str(error) for error in errors] == [f"the speech synthesis (tts) at {address}: that is too much"] * 20
    assert {error.field for error in errors} == {"text_delta"}


async def test_a_good_end_reaches_a_client_that_is_still_sending() -> None:
    async def be_content(requests, context):  # type: ignore[no-untyped-def]
        await anext(requests)
        yield tts_pb2.StreamingSynthesizeResponse(finished=tts_pb2.SynthesisFinished(characters=7))

    async with serving(scripted_service(duplex=be_content)) as address:
        for _ in range(BUSY_CALLS):
            [response] = await _busy_call(peer(address, "tts"))
            assert response.finished.characters == 7


async def _error_of_busy_call(peer: Peer) -> CommandError:
    with pytest.raises(CommandError) as caught:
        await _busy_call(peer)
    return caught.value


async def _busy_call(peer: Peer) -> list[tts_pb2.StreamingSynthesizeResponse]:
    async def requests() -> AsyncGenerator[tts_pb2.StreamingSynthesizeRequest, None]:
        for _ in range(200):
            yield tts_pb2.StreamingSynthesizeRequest(text_delta="x" * 32_768)

    async with peer.open() as channel:
        stub: tts_pb2_grpc.TtsServiceAsyncStub = tts_pb2_grpc.TtsServiceStub(channel)
        call = stub.StreamingSynthesize(**peer.call_options(LIMIT_S))
        async with aclosing(peer.responses(call, requests())) as responses:
            return [response async for response in responses]


async def test_a_conversation_as_events() -> None:
    assistant = ScriptedAssistant([ScriptedTurn(reply=("a", "b"))])
    async with serving(assistant.service()) as address:
        conversation = Conversation(peer(address), ConversationOptions(output_rate_hz=16_000), LIMIT_S, try_for_s=15)
        await conversation.give(TypedText("hello"))
        await conversation.give(End())
        events = [event async for event in conversation.events()]
    assert events[0].what == SessionOpened("s1", "secret", False, 16_000)
    assert [event.what.delta for event in events if isinstance(event.what, ReplyText)] == ["a", "b"]
    [finished] = [event for event in events if isinstance(event.what, TurnFinished)]
    assert finished.turn_id == "turn-1"
    assert assistant.texts == ["hello"]


@pytest.mark.parametrize("ending", ["by the client", "by the assistant", "by an error", "by a reader that left"])
async def test_nothing_is_left_of_a_conversation(ending: str) -> None:
    turn = ScriptedTurn(breaks=EngineFailedError("it broke") if ending == "by an error" else None)
    assistant = ScriptedAssistant([turn], leaves=ending == "by the assistant")
    async with serving(assistant.service()) as address:
        conversation = Conversation(peer(address), ConversationOptions(), LIMIT_S, try_for_s=15)
        await conversation.give(TypedText("hello"))
        if ending == "by the client":
            await conversation.give(End())
        async with aclosing(conversation.events()) as events:
            if ending == "by a reader that left":
                await anext(events)
            elif ending == "by an error":
                with pytest.raises(CommandError, match="it broke"):
                    await _read(events)
            else:
                await _read(events)
        await wait_until(lambda: assistant.ended == 1, "the end on the assistant's side")
        await wait_until(lambda: not _writers(), "the end of the task that writes")


def _writers() -> list[str]:
    """The tasks in gRPC that read a client's requests."""
    tasks = [repr(task.get_coro()) for task in asyncio.all_tasks()]
    return [task for task in tasks if "_consume_request_iterator" in task]


async def _read(events: AsyncIterator[object]) -> None:
    async for _ in events:
        pass


async def test_whoever_gives_too_fast_waits() -> None:
    conversation = Conversation(
        peer("127.0.0.1:1"), ConversationOptions(), LIMIT_S, try_for_s=15
    )  # nobody takes anything

    async def give() -> None:
        for _ in range(10_000):
            await conversation.give(MicrophoneAudio(b""))

    giving = asyncio.create_task(give())
    done, _ = await asyncio.wait((giving,), timeout=0.2)
    giving.cancel()
    assert not done
