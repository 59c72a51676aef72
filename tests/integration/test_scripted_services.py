"""The scripted services as processes, over real sockets; and a caller of a conversation that is scripted too."""

# ruff: noqa: N802  # gRPC's method names

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Sequence

import grpc
import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from services.common.audio import Samples, encode_pcm
from services.common.channels import Connection
from services.common.lifecycle import MethodLimits, Service
from services.common.status import from_rpc_error
from superwhisper.assistant.v1 import assistant_pb2 as pb
from superwhisper.assistant.v1 import assistant_pb2_grpc
from superwhisper.llm.v1 import llm_pb2, llm_pb2_grpc
from superwhisper.stt.v1 import stt_pb2_grpc
from superwhisper.tts.v1 import tts_pb2_grpc
from tests.fakes.scripted_services.__main__ import flags
from tests.fakes.scripted_services.records import Record, records_in
from tests.fakes.scripted_services.script import RATE_HZ, EarsSpeed, MindSpeed, MouthSpeed, reply, sentence, speech
from tests.support import ears, mouth
from tests.support.conversing import conversing, kind_is
from tests.support.scripted import LIMIT_S, Context, for_ever, nothing
from tests.support.servers import Child, child_python, free_port, serving, wait_for_health
from tests.support.waiting import wait_until

_NUMBER = 123


@contextlib.asynccontextmanager
async def _process(speed: EarsSpeed | MindSpeed | MouthSpeed) -> AsyncIterator[tuple[Child, grpc.aio.Channel]]:
    port, arguments = free_port(), flags(speed)
    command = ["-m", "tests.fakes.scripted_services", *arguments, "--port", str(port)]
    with child_python(arguments[0], command, f"127.0.0.1:{port}") as child:
        connection = Connection(child.address)
        await wait_for_health(connection)
        async with connection.open() as channel:
            yield child, channel


def _messages(*parts: Samples) -> list[ears.Request]:
    audio = encode_pcm(np.concatenate(parts))
    step = RATE_HZ // 50 * 2
    return [ears.Request(audio=audio[start : start + step]) for start in range(0, len(audio), step)]


async def _record(child: Child) -> Record:
    await wait_until(lambda: any(records_in(child.output())), f"a record of {child.name}")
    return next(records_in(child.output()))


async def test_ears_tell_of_an_utterance_with_a_hesitation_in_order() -> None:
    audio = _messages(speech(_NUMBER, hesitation_ms=200), np.zeros(RATE_HZ // 2, np.int16))
    async with _process(EarsSpeed(decode_ms=0)) as (child, channel):
        stub: stt_pb2_grpc.SttServiceAsyncStub = stt_pb2_grpc.SttServiceStub(channel)
        received = await ears.events(stub, [ears.config(interim_results=True), *audio])
        kinds = [kind for kind in ears.kinds(received) if kind != "transcript"]
        record = await _record(child)
    assert kinds == [
        *("ready", "speech_started", "speech_paused", "speech_resumed", "speech_paused", "utterance_ended"),
    ]
    paused = [one.speech_paused.eager_transcript.text for one in received if one.HasField("speech_paused")]
    assert paused == ["Dis-moi quel temps", sentence(_NUMBER)]
    assert [one.text for one in ears.finals(received)] == [sentence(_NUMBER)]
    partials = [one.transcript for one in received if one.HasField("transcript") and not one.transcript.is_final]
    assert (partials[0].text, partials[0].tentative_text) == ("", "Dis-moi")
    assert (partials[1].text, partials[1].tentative_text) == ("Dis-moi", "")
    assert (record.stage, record.number) == ("stt", _NUMBER)
    assert {"started", "paused", "eager", "endpoint", "final", "ended"} == set(record.moments)


async def test_ears_drop_an_eager_transcript_that_is_not_ready_when_speech_goes_on() -> None:
    audio = _messages(speech(_NUMBER, hesitation_ms=200), np.zeros(RATE_HZ // 2, np.int16))
    async with _process(EarsSpeed(decode_ms=1500)) as (_, channel):
        stub: stt_pb2_grpc.SttServiceAsyncStub = stt_pb2_grpc.SttServiceStub(channel)
        received = await ears.events(stub, [ears.config(), *audio])
    assert ears.kinds(received) == ["ready", "speech_started", "speech_paused", "transcript", "utterance_ended"]


async def test_ears_refuse_audio_before_the_configuration() -> None:
    async with _process(EarsSpeed()) as (_, channel):
        stub: stt_pb2_grpc.SttServiceAsyncStub = stt_pb2_grpc.SttServiceStub(channel)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await ears.events(stub, _messages(speech(_NUMBER)))
    refusal = from_rpc_error(caught.value, "stt")
    assert (refusal.status, refusal.field) == (grpc.StatusCode.INVALID_ARGUMENT, "config")


def _question() -> llm_pb2.GenerateRequest:
    return llm_pb2.GenerateRequest(messages=[llm_pb2.Message(role=llm_pb2.ROLE_USER, content=sentence(_NUMBER))])


async def test_mind_replies_to_the_sentence_and_records_it() -> None:
    async with _process(MindSpeed(first_token_ms=0, tokens_per_s=1000, reply_tokens=12)) as (child, channel):
        stub: llm_pb2_grpc.LlmServiceAsyncStub = llm_pb2_grpc.LlmServiceStub(channel)
        responses = [response async for response in stub.Generate(_question(), timeout=LIMIT_S)]
        record = await _record(child)
    assert [one.text_delta for one in responses[:-1]] == reply(_NUMBER, 12)
    assert responses[-1].finished.finish_reason == llm_pb2.FINISH_REASON_STOP
    assert (record.stage, record.number, record.outcome) == ("llm", _NUMBER, "finished")
    assert list(record.moments) == ["began", "first", "clause", "ended"]


async def test_mind_records_that_it_was_cancelled() -> None:
    async with _process(MindSpeed(first_token_ms=0, tokens_per_s=0.1)) as (child, channel):
        stub: llm_pb2_grpc.LlmServiceAsyncStub = llm_pb2_grpc.LlmServiceStub(channel)
        call = stub.Generate(_question(), timeout=LIMIT_S)
        await call.read()
        call.cancel()
        record = await _record(child)
    assert (record.number, record.outcome, list(record.moments)) == (_NUMBER, "cancelled", ["began", "first", "ended"])


async def test_mouth_says_a_text_in_portions_as_the_contract_says() -> None:
    tokens = reply(_NUMBER, 20)
    async with _process(MouthSpeed(first_audio_ms=0, rtf=0.001)) as (child, channel):
        stub: tts_pb2_grpc.TtsServiceAsyncStub = tts_pb2_grpc.TtsServiceStub(channel)
        heard = await mouth.pour(stub, tokens)
        record = await _record(child)
    heard.check("".join(tokens))
    assert heard.pieces[0] == (0, len("Voici pour le numéro 123,"))
    assert (record.stage, record.number, record.outcome) == ("tts", _NUMBER, "finished")


async def test_mouth_says_a_whole_text_and_flushes_what_is_no_sentence_yet() -> None:
    async with _process(MouthSpeed(first_audio_ms=0, rtf=0.001)) as (child, channel):
        stub: tts_pb2_grpc.TtsServiceAsyncStub = tts_pb2_grpc.TtsServiceStub(channel)
        (await mouth.say(stub, "Oui, d'accord. Bien sûr.")).check("Oui, d'accord. Bien sûr.")
        call = await mouth.opened(stub, "sans fin", mouth.FLUSH)
        await call.read()
        assert (await call.read()).audio.span.start == 0
        call.cancel()
        await wait_until(lambda: "cancelled" in child.output(), "the record of the cancelled call")


class _ScriptedAssistant(assistant_pb2_grpc.AssistantServiceServicer):
    """Says what it is told to, and keeps what it is sent."""

    def __init__(self, script: Sequence[pb.ConverseResponse]) -> None:
        self.script = asyncio.Queue[pb.ConverseResponse]()
        for response in script:
            self.script.put_nowait(response)
        self.received: list[pb.ConverseRequest] = []

    async def Converse(
        self, request_iterator: AsyncIterator[pb.ConverseRequest], context: Context
    ) -> AsyncGenerator[pb.ConverseResponse, None]:
        reading = asyncio.create_task(self._read(request_iterator))
        try:
            while True:
                yield await self.script.get()
        finally:
            reading.cancel()

    async def GetCapabilities(self, request: pb.GetCapabilitiesRequest, context: Context) -> pb.GetCapabilitiesResponse:
        return pb.GetCapabilitiesResponse()

    async def _read(self, requests: AsyncIterator[pb.ConverseRequest]) -> None:
        async for request in requests:
            self.received.append(request)

    def played(self) -> list[int]:
        """What was reported."""
        return [one.playback.played_samples for one in self.received if one.HasField("playback")]

    def sent(self) -> list[str | None]:
        """The kinds of all but audio."""
        return [kind for one in self.received if (kind := one.WhichOneof("payload")) != "audio"]

    def audio(self) -> bytes:
        """What the microphone sent."""
        return b"".join(one.audio for one in self.received)


def _service(assistant: _ScriptedAssistant) -> Service:
    return Service(
        descriptor=pb.DESCRIPTOR.services_by_name["AssistantService"],
        register=lambda server: assistant_pb2_grpc.add_AssistantServiceServicer_to_server(assistant, server),
        limits={"Converse": MethodLimits(LIMIT_S)},
        start=nothing,
        ready=lambda: True,
        keep_up=for_ever,
        close=nothing,
        registry=CollectorRegistry(),
    )


_SESSION = pb.ConverseResponse(session=pb.Session(session_id="one"))
_AUDIO = pb.ConverseResponse(turn_id="turn-1", reply_audio=pb.ReplyAudio(audio=bytes(RATE_HZ)))  # half a second
_YIELDS = pb.ConverseResponse(
    turn_id="turn-1", state=pb.StateChanged(state=pb.ASSISTANT_STATE_YIELDING, hold=pb.HOLD_MODE_PAUSE)
)
_SPEAKS = pb.ConverseResponse(turn_id="turn-1", state=pb.StateChanged(state=pb.ASSISTANT_STATE_SPEAKING))
_INTERRUPTED = pb.ConverseResponse(turn_id="turn-1", interrupted=pb.Interrupted())


async def test_caller_sends_what_it_says_and_reports_all_that_was_played() -> None:
    assistant = _ScriptedAssistant([_SESSION, _AUDIO])
    async with serving(_service(assistant)) as address, conversing(address, speed=20) as caller:
        spoken = await caller.say(speech(_NUMBER)[:960])
        await wait_until(lambda: assistant.played()[-1:] == [RATE_HZ // 2], "the last report")
        audio = await caller.until(kind_is("reply_audio", "turn-1"))
    assert spoken.ended_at > spoken.began_at
    assert encode_pcm(speech(_NUMBER)[:960]) in assistant.audio()
    assert audio.at == caller.of_turn("turn-1", "reply_audio")[0].at
    assert assistant.received[0].config.output_format.sample_rate_hz == RATE_HZ


async def test_caller_holds_its_loudspeaker_while_the_assistant_yields_and_flushes_it_when_interrupted() -> None:
    assistant = _ScriptedAssistant([_SESSION, _YIELDS, _AUDIO])
    async with serving(_service(assistant)) as address, conversing(address) as caller:
        await caller.until(kind_is("reply_audio"))
        messages = len(assistant.received)
        await wait_until(lambda: len(assistant.received) > messages + 20, "more than half of the audio's time")
        assert caller.loudspeaker.played_samples == 0
        assistant.script.put_nowait(_SPEAKS)
        await wait_until(lambda: bool(assistant.played()), "a report of what is played again")
        assistant.script.put_nowait(_INTERRUPTED)
        await caller.until(kind_is("interrupted"))
        stopped_at = caller.loudspeaker.played_samples
        await wait_until(lambda: assistant.played()[-1] == stopped_at, "the report of what was played in all")
        assert 0 < stopped_at < RATE_HZ // 2


async def test_caller_says_so_where_the_conversation_ends() -> None:
    assistant = _ScriptedAssistant([_SESSION])
    async with serving(_service(assistant)) as address:
        learnt: list[str] = []
        with pytest.raises(grpc.aio.AioRpcError):
            await _converse_beyond_the_end(address, assistant, learnt)
        assert "ended without it" in learnt[0]


async def _converse_beyond_the_end(address: str, assistant: _ScriptedAssistant, learnt: list[str]) -> None:
    async with conversing(address) as caller:
        await caller.mute(muted=True)
        await caller.type("Bonjour")
        await caller.interrupt()
        await caller.end()
        await wait_until(lambda: assistant.sent() == ["config", "control", "text", "control", "control"], "all of it")
        assistant.script.put_nowait(pb.ConverseResponse(reply_audio=pb.ReplyAudio(audio=bytes(40_000_000))))
        with pytest.raises(AssertionError) as caught:
            await caller.turn_end("turn-1", bound_s=LIMIT_S)
        learnt.append(str(caught.value))
