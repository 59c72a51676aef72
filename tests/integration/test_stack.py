"""One spoken turn through four real processes, and what happens when one of them is killed."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
import pytest_asyncio
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from services.common.audio import read_wav
from services.common.channels import Connection
from superwhisper.assistant.v1 import assistant_pb2 as pb
from superwhisper.assistant.v1 import assistant_pb2_grpc
from superwhisper.common.v1 import audio_pb2
from superwhisper.tts.v1 import tts_pb2, tts_pb2_grpc
from tests.support.servers import child_service
from tests.support.shared_data import REPOSITORY
from tests.support.stack import RATE_HZ, Conversant, Stack, running_stack

pytestmark = pytest.mark.asyncio(loop_scope="module")

QUESTION = (REPOSITORY / "client/assets/question-en.wav").read_bytes()
SERVICES = {
    "stt": "superwhisper.stt.v1.SttService",
    "llm": "superwhisper.llm.v1.LlmService",
    "tts": "superwhisper.tts.v1.TtsService",
    "orchestrator": "superwhisper.assistant.v1.AssistantService",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack() -> AsyncIterator[Stack]:
    async with running_stack() as running:
        yield running


async def test_a_spoken_question_gets_a_spoken_reply(stack: Stack) -> None:
    async with Conversant(stack.orchestrator.address).conversing(microphone=True) as client:
        speaking = asyncio.create_task(client.speak(read_wav(QUESTION, "question")))
        finished = await client.until("turn_finished")
        await speaking
    finals = [told.transcript for told in client.told if told.transcript.is_final]
    assert [final.text for final in finals] == ["what is the best way to learn a new language"]
    assert any(told.HasField("transcript") and not told.transcript.is_final for told in client.told)
    assert finished.turn_finished.outcome == pb.TURN_OUTCOME_COMPLETED
    assert len(client.text().split()) >= 5
    backends = finished.turn_finished.backends
    assert (backends.stt, backends.llm, backends.tts) == ("pocketsphinx", "smollm2-135m", "espeak-ng")


async def test_the_first_audio_leaves_before_the_reply_is_written(stack: Stack) -> None:
    async with Conversant(stack.orchestrator.address).conversing() as client:
        await client.type("Tell me three facts about the ocean.")
        await client.until("turn_finished")
    kinds = client.kinds()
    last_text = len(kinds) - 1 - kinds[::-1].index("reply_text")
    assert kinds.index("reply_audio") < last_text


async def test_the_reply_lasts_as_long_as_its_text_needs(stack: Stack) -> None:
    async with Conversant(stack.orchestrator.address).conversing() as client:
        await client.type("What is your name?")
        await client.until("turn_finished")
    connection = Connection(stack.tts.address)
    async with connection.open() as channel:
        stub: tts_pb2_grpc.TtsServiceAsyncStub = tts_pb2_grpc.TtsServiceStub(channel)
        request = tts_pb2.SynthesizeRequest(
            text=client.text(),
            audio_format=audio_pb2.AudioFormat(sample_rate_hz=RATE_HZ),
            voice=tts_pb2.VoiceConfig(language_code="en"),
        )
        call = stub.Synthesize(request, **connection.call_options(30))
        whole = b"".join([response.audio.audio async for response in call])
    # espeak-ng's pauses differ by some 60 ms each time; the shortest piece that could be lost lasts half a second.
    assert len(client.audio()) == pytest.approx(len(whole), abs=0.15 * RATE_HZ * 2)


@pytest.mark.parametrize("name", SERVICES)
async def test_every_process_tells_its_health_and_its_methods(stack: Stack, name: str) -> None:
    connection = Connection(getattr(stack, name).address)
    async with connection.open() as channel:
        health: Any = health_pb2_grpc.HealthStub(channel)  # the type stubs of both know only synchronous channels
        for asked in ("", SERVICES[name]):
            answer = await health.Check(health_pb2.HealthCheckRequest(service=asked), **connection.call_options(5))
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
        reflection: Any = reflection_pb2_grpc.ServerReflectionStub(cast("Any", channel))
        request = reflection_pb2.ServerReflectionRequest(file_containing_symbol=SERVICES[name])
        [answer] = [answer async for answer in reflection.ServerReflectionInfo(iter([request]))]
        file = FileDescriptorProto.FromString(answer.file_descriptor_response.file_descriptor_proto[0])
        assert SERVICES[name].rsplit(".", 1)[-1] in [service.name for service in file.service]


async def test_the_orchestrator_tells_how_its_stages_are(stack: Stack) -> None:
    connection = Connection(stack.orchestrator.address)
    async with connection.open() as channel:
        stub: assistant_pb2_grpc.AssistantServiceAsyncStub = assistant_pb2_grpc.AssistantServiceStub(channel)
        answer = await stub.GetCapabilities(pb.GetCapabilitiesRequest(), **connection.call_options(5))
    assert {stage.stage: stage.engines[0].name for stage in answer.stages if stage.serving} == {
        pb.STAGE_STT: "pocketsphinx",
        pb.STAGE_LLM: "smollm2-135m",
        pb.STAGE_TTS: "espeak-ng",
    }


async def test_killing_the_mind_in_the_middle_of_a_turn_degrades_it_and_no_more(stack: Stack) -> None:
    port = int(stack.llm.address.rsplit(":", 1)[-1])
    async with Conversant(stack.orchestrator.address).conversing() as client:
        await client.type("Tell me a long story about a small dog.")
        await client.until("reply_text")
        stack.llm.kill()
        degraded = (await client.until("degraded")).degraded
        assert degraded.stage == pb.STAGE_LLM
        assert degraded.reason == "CONNECTION_LOST"
        finished = (await client.until("turn_finished")).turn_finished
        assert finished.outcome == pb.TURN_OUTCOME_FAILED

        # While it is away the user hears that it is.
        await client.type("Are you there?")
        await client.until("turn_finished")
        assert client.text().endswith("Please try again in a moment.")
        assert client.told[-2].HasField("reply_audio")

        # And the same session goes on once it is back.
        async with child_service("llm", port=port) as stack.llm:
            client.told.clear()
            await client.type("What is your name?")
            finished = (await client.until("turn_finished")).turn_finished
            assert finished.outcome == pb.TURN_OUTCOME_COMPLETED
            assert client.text()
