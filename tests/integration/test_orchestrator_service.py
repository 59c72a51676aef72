"""Converse over a real socket, with scripted stages behind it: the wire, its limits, and clients that behave badly."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field

import grpc
import pytest

from services.common.channels import Connection
from services.common.exchange import exchange
from services.common.lifecycle import MethodLimits, Service
from services.common.status import from_rpc_error
from services.orchestrator.peers import Peers
from services.orchestrator.servicer import AssistantServicer
from superwhisper.assistant.v1 import assistant_pb2 as pb
from superwhisper.assistant.v1 import assistant_pb2_grpc
from superwhisper.common.v1 import audio_pb2
from tests.fakes.stages import ScriptedMind
from tests.support.servers import free_port, serving
from tests.support.talking import Assistant, section
from tests.support.waiting import wait_until

FORMAT = audio_pb2.AudioFormat(sample_rate_hz=16_000)
TEXT_ONLY = pb.ConverseRequest(config=pb.ConverseConfig())
WITH_AUDIO = pb.ConverseRequest(config=pb.ConverseConfig(input_format=FORMAT, output_format=FORMAT))
END = pb.ConverseRequest(control=pb.Control(end=pb.End()))


@dataclass
class Served:
    """The orchestrator's own servicer over scripted stages."""

    mind: ScriptedMind = field(default_factory=lambda: ScriptedMind([["Yes. ", "Of course."]] * 50))
    max_sessions: int = 2
    idle_limit_s: float = 20.0

    def __post_init__(self) -> None:
        nobody = section().stt.model_copy(update={"address": f"127.0.0.1:{free_port()}"})
        limits = {"max_sessions": self.max_sessions, "idle_limit_s": self.idle_limit_s}
        self.settings = section(**limits, stt=nobody, llm=nobody, tts=nobody)
        self.assistant = Assistant(self.mind, settings=self.settings)

    def service(self) -> Service:
        sessions, registry = self.assistant.sessions, self.assistant.registry
        peers = Peers(self.settings, registry)
        servicer = AssistantServicer(sessions, peers, self.settings)

        async def nothing() -> None:
            pass

        async def close() -> None:
            await sessions.close()
            await peers.close()

        return Service(
            descriptor=pb.DESCRIPTOR.services_by_name["AssistantService"],
            register=lambda server: assistant_pb2_grpc.add_AssistantServiceServicer_to_server(servicer, server),
            limits={"Converse": MethodLimits(60)},
            start=nothing,
            ready=lambda: True,
            keep_up=nothing,
            close=close,
            registry=registry,
            draining=self.assistant.draining,
        )

    def metric(self, name: str, **labels: str) -> float | None:
        return self.assistant.metric(name, **labels)


async def converse(address: str, requests: Sequence[pb.ConverseRequest]) -> list[pb.ConverseResponse]:
    """Sends all of it at once and reads to the end."""

    async def sent() -> AsyncGenerator[pb.ConverseRequest, None]:
        for request in requests:
            yield request

    async with Connection(address).open() as channel:
        stub: assistant_pb2_grpc.AssistantServiceAsyncStub = assistant_pb2_grpc.AssistantServiceStub(channel)
        return [response async for response in exchange(stub.Converse(timeout=30), sent())]


@pytest.mark.parametrize(
    ("requests", "status", "field_name"),
    [
        ([], "INVALID_ARGUMENT", "config"),
        ([END], "INVALID_ARGUMENT", "config"),
        ([TEXT_ONLY, TEXT_ONLY], "INVALID_ARGUMENT", "config"),
        ([TEXT_ONLY, pb.ConverseRequest()], "INVALID_ARGUMENT", "payload"),
        ([TEXT_ONLY, pb.ConverseRequest(audio=bytes(2))], "INVALID_ARGUMENT", "audio"),
        ([WITH_AUDIO, pb.ConverseRequest(audio=bytes(3))], "INVALID_ARGUMENT", "audio"),
        ([WITH_AUDIO, pb.ConverseRequest(audio=bytes(65_538))], "OUT_OF_RANGE", "audio"),
        ([WITH_AUDIO, *[pb.ConverseRequest(audio=bytes(64_000))] * 20], "RESOURCE_EXHAUSTED", "audio"),
        ([TEXT_ONLY, pb.ConverseRequest(text="  ")], "INVALID_ARGUMENT", "text"),
        ([TEXT_ONLY, pb.ConverseRequest(text="x" * 4001)], "OUT_OF_RANGE", "text"),
        ([TEXT_ONLY, *[pb.ConverseRequest(text="more")] * 12], "RESOURCE_EXHAUSTED", "text"),
        ([TEXT_ONLY, pb.ConverseRequest(control=pb.Control())], "INVALID_ARGUMENT", "control.command"),
        (
            [pb.ConverseRequest(config=pb.ConverseConfig(language_code="français"))],
            "INVALID_ARGUMENT",
            "config.language_code",
        ),
        (
            [pb.ConverseRequest(config=pb.ConverseConfig(output_format=audio_pb2.AudioFormat(sample_rate_hz=7)))],
            "INVALID_ARGUMENT",
            "config.output_format.sample_rate_hz",
        ),
        (
            [pb.ConverseRequest(config=pb.ConverseConfig(system_prompt="x" * 4001))],
            "OUT_OF_RANGE",
            "config.system_prompt",
        ),
    ],
)
async def test_wrong_input_is_refused_by_name(requests: list[pb.ConverseRequest], status: str, field_name: str) -> None:
    assistant = Served()
    assistant.mind.go_on.clear()
    async with serving(assistant.service()) as address:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await converse(address, requests)
    error = from_rpc_error(caught.value, "orchestrator")
    assert (error.status.name, error.field) == (status, field_name)


async def test_a_typed_turn_over_the_wire() -> None:
    async with serving(Served().service()) as address:
        responses = await converse(address, [WITH_AUDIO, pb.ConverseRequest(text="well?"), END])
    kinds = [response.WhichOneof("event") for response in responses]
    assert kinds[0] == "session"
    assert kinds[-2:] == ["turn_finished", "state"]
    assert "".join(response.reply_text.text_delta for response in responses) == "Yes. Of course."
    assert {response.turn_id for response in responses[2:-1]} == {"turn-1"}
    assert responses[-1].turn_id == ""  # the turn is over: turn_finished was its last
    [finished] = [response.turn_finished for response in responses if response.HasField("turn_finished")]
    assert finished.outcome == pb.TURN_OUTCOME_COMPLETED
    assert not finished.timings.HasField("endpoint_ms")  # nothing was spoken
    assert finished.timings.HasField("first_audio_ms")


async def test_more_conversations_than_published_are_refused_and_a_free_place_is_found_again() -> None:
    assistant = Served(max_sessions=1)
    async with serving(assistant.service()) as address, Connection(address).open() as channel:
        stub: assistant_pb2_grpc.AssistantServiceAsyncStub = assistant_pb2_grpc.AssistantServiceStub(channel)
        first = stub.Converse(timeout=30)
        await first.write(TEXT_ONLY)
        await first.read()
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await converse(address, [TEXT_ONLY, END])
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        first.cancel()
        await wait_until(lambda: assistant.metric("pipeline_sessions_active") == 0, "the conversation to end")
        assert (await converse(address, [TEXT_ONLY, END]))[0].HasField("session")


async def test_a_client_that_vanishes_in_the_middle_of_a_reply_leaves_nothing_behind() -> None:
    assistant = Served()
    assistant.mind.go_on.clear()
    async with serving(assistant.service()) as address, Connection(address).open() as channel:
        stub: assistant_pb2_grpc.AssistantServiceAsyncStub = assistant_pb2_grpc.AssistantServiceStub(channel)
        call = stub.Converse(timeout=30)
        await call.write(WITH_AUDIO)
        await call.write(pb.ConverseRequest(text="hello"))
        while True:
            response = await call.read()
            assert isinstance(response, pb.ConverseResponse)
            if response.HasField("reply_audio"):
                break
        call.cancel()
        await wait_until(assistant.mind.ended.is_set, "the mind to be let go")
        await wait_until(assistant.assistant.mouth.ended.is_set, "the mouth to be let go")
        await wait_until(lambda: assistant.metric("pipeline_sessions_active") == 0, "the conversation to end")


async def test_a_client_that_was_lost_goes_on_and_one_that_closed_its_side_does_not() -> None:
    """gRPC tells of both that no more requests come, and of the first a moment later that it is gone."""
    assistant = Served(max_sessions=20)
    async with serving(assistant.service()) as address, Connection(address).open() as channel:
        stub: assistant_pb2_grpc.AssistantServiceAsyncStub = assistant_pb2_grpc.AssistantServiceStub(channel)
        tokens = []
        for _ in range(10):
            call = stub.Converse(timeout=30)
            await call.write(TEXT_ONLY)
            opened = await call.read()
            assert isinstance(opened, pb.ConverseResponse)
            tokens.append(opened.session.resume_token)
            call.cancel()
        await wait_until(lambda: assistant.metric("pipeline_sessions_parked") == 10, "the sessions to wait")
        for token in tokens:
            again = pb.ConverseRequest(config=pb.ConverseConfig(resume_token=token))
            assert (await converse(address, [again]))[0].session.resumed
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await converse(address, [again])
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


async def test_a_client_that_says_nothing_is_let_go() -> None:
    async with serving(Served(idle_limit_s=0.2).service()) as address, Connection(address).open() as channel:
        stub: assistant_pb2_grpc.AssistantServiceAsyncStub = assistant_pb2_grpc.AssistantServiceStub(channel)
        call = stub.Converse(timeout=30)
        await call.write(TEXT_ONLY)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            [_ async for _ in call]
        assert from_rpc_error(caught.value, "orchestrator").detailed_reason == "STREAM_IDLE"


async def test_capabilities_tell_stages_that_do_not_answer() -> None:
    async with serving(Served().service()) as address, Connection(address).open() as channel:
        stub: assistant_pb2_grpc.AssistantServiceAsyncStub = assistant_pb2_grpc.AssistantServiceStub(channel)
        answer = await stub.GetCapabilities(pb.GetCapabilitiesRequest(), timeout=10)
    assert [stage.serving for stage in answer.stages] == [False, False, False]
    assert answer.limits.max_concurrent_streams == 2


async def test_turns_are_counted() -> None:
    assistant = Served()
    async with serving(assistant.service()) as address:
        await converse(address, [WITH_AUDIO, pb.ConverseRequest(text="well?"), END])
    assert assistant.metric("pipeline_requests_total", outcome="completed") == 1
    assert assistant.metric("pipeline_latency_seconds_count") == 0  # nothing was spoken: not voice to voice
    assert assistant.metric("pipeline_stage_seconds_count", stage="first_token") == 1
