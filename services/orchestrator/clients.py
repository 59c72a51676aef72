"""The orchestrator's ports, over gRPC."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from typing import Any

import grpc

from services.common.channels import Connection
from services.common.exchange import exchange
from services.common.status import from_rpc_error
from services.orchestrator.ports import EarsEvent, Line, ReplyEnd, Speaker, SpeechEnded, SpeechHeard, SpokenAudio, Voice
from superwhisper.common.v1 import audio_pb2
from superwhisper.llm.v1 import llm_pb2, llm_pb2_grpc
from superwhisper.stt.v1 import stt_pb2, stt_pb2_grpc
from superwhisper.tts.v1 import tts_pb2, tts_pb2_grpc

_ROLES = {
    Speaker.SYSTEM: llm_pb2.ROLE_SYSTEM,
    Speaker.USER: llm_pb2.ROLE_USER,
    Speaker.ASSISTANT: llm_pb2.ROLE_ASSISTANT,
}


class GrpcEars:
    """SttService as Ears."""

    def __init__(self, connection: Connection, channel: grpc.aio.Channel, limit_s: float) -> None:
        self._connection = connection
        self._stub: stt_pb2_grpc.SttServiceAsyncStub = stt_pb2_grpc.SttServiceStub(channel)
        self._limit_s = limit_s

    async def listen(
        self, audio: AsyncIterator[bytes], sample_rate_hz: int, language_code: str
    ) -> AsyncGenerator[EarsEvent, None]:
        """What is heard in the audio, until it ends."""
        config = stt_pb2.StreamingRecognizeConfig(
            audio_format=audio_pb2.AudioFormat(sample_rate_hz=sample_rate_hz),
            recognition=stt_pb2.RecognitionConfig(language_code=language_code),
            interim_results=True,
        )

        async def requests() -> AsyncGenerator[stt_pb2.StreamingRecognizeRequest, None]:
            yield stt_pb2.StreamingRecognizeRequest(config=config)
            async for piece in audio:
                yield stt_pb2.StreamingRecognizeRequest(audio=piece)

        call = self._stub.StreamingRecognize(**self._connection.call_options(self._limit_s))
        async with aclosing(_responses("stt", call, requests())) as responses:
            async for response in responses:
                kind = response.WhichOneof("event")
                if kind == "transcript":
                    heard = response.transcript
                    yield SpeechHeard(heard.text, heard.is_final, heard.stability, heard.language_code, heard.backend)
                elif kind == "utterance_ended":
                    yield SpeechEnded(response.utterance_ended.end_ms, response.utterance_ended.endpoint_ms)


class GrpcMind:
    """LlmService as Mind."""

    def __init__(self, connection: Connection, channel: grpc.aio.Channel, limit_s: float) -> None:
        self._connection = connection
        self._stub: llm_pb2_grpc.LlmServiceAsyncStub = llm_pb2_grpc.LlmServiceStub(channel)
        self._limit_s = limit_s

    async def reply(
        self, conversation_id: str, lines: Sequence[Line], language_code: str
    ) -> AsyncGenerator[str | ReplyEnd, None]:
        """The next line, as it is written."""
        request = llm_pb2.GenerateRequest(
            conversation_id=conversation_id,
            messages=to_messages(lines),
            language_code=language_code,
        )
        call = self._stub.Generate(request, **self._connection.call_options(self._limit_s))
        async with aclosing(_responses("llm", call)) as responses:
            async for response in responses:
                kind = response.WhichOneof("event")
                if kind == "text_delta":
                    yield response.text_delta
                elif kind == "finished":
                    yield ReplyEnd(response.finished.backend)


def to_messages(lines: Sequence[Line]) -> list[llm_pb2.Message]:
    """The lines of a conversation as the mind reads them."""
    return [llm_pb2.Message(role=_ROLES[line.speaker], content=line.text) for line in lines]


class GrpcMouth:
    """TtsService as Mouth."""

    def __init__(self, connection: Connection, channel: grpc.aio.Channel, limit_s: float) -> None:
        self._connection = connection
        self._stub: tts_pb2_grpc.TtsServiceAsyncStub = tts_pb2_grpc.TtsServiceStub(channel)
        self._limit_s = limit_s

    async def speak(self, text: AsyncIterator[str], voice: Voice) -> AsyncGenerator[SpokenAudio, None]:
        """The audio of a text that is still being written."""
        config = tts_pb2.StreamingSynthesizeConfig(
            audio_format=audio_pb2.AudioFormat(sample_rate_hz=voice.sample_rate_hz),
            voice=tts_pb2.VoiceConfig(voice=voice.name, language_code=voice.language_code),
        )

        async def requests() -> AsyncGenerator[tts_pb2.StreamingSynthesizeRequest, None]:
            yield tts_pb2.StreamingSynthesizeRequest(config=config)
            async for delta in text:
                yield tts_pb2.StreamingSynthesizeRequest(text_delta=delta)

        call = self._stub.StreamingSynthesize(**self._connection.call_options(self._limit_s))
        async with aclosing(_responses("tts", call, requests())) as responses:
            async for response in responses:
                if response.HasField("audio"):
                    chunk = response.audio
                    yield SpokenAudio(chunk.audio, chunk.span.start, chunk.span.end, chunk.backend, chunk.piece)


async def _responses(
    peer: str, call: Any, requests: AsyncGenerator[Any, None] | None = None
) -> AsyncGenerator[Any, None]:
    """The messages of a streaming call, its failure as an error of ours."""
    try:
        async with aclosing(exchange(call, requests)) as responses:
            async for response in responses:
                yield response
    except grpc.aio.AioRpcError as error:
        raise from_rpc_error(error, peer) from error
