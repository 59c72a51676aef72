"""The orchestrator's ports, over gRPC."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import Any

import grpc

from services.common.channels import Connection
from services.common.errors import RemoteError
from services.common.exchange import exchange
from services.common.status import from_rpc_error
from services.orchestrator.ports import (
    EarsEvent,
    EarsReady,
    Line,
    ReplyEnd,
    Speaker,
    SpeechEnded,
    SpeechHeard,
    SpeechPaused,
    SpeechResumed,
    SpeechStarted,
    SpokenAudio,
    Voice,
    WrittenText,
)
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
    """SttService as Ears. `min_speech_ms`: what is shorter is a click."""

    def __init__(self, connection: Connection, channel: grpc.aio.Channel, limit_s: float, min_speech_ms: int) -> None:
        self._connection = connection
        self._stub: stt_pb2_grpc.SttServiceAsyncStub = stt_pb2_grpc.SttServiceStub(channel)
        self._limit_s = limit_s
        self._min_speech_ms = min_speech_ms

    async def listen(
        self, audio: AsyncIterator[bytes], sample_rate_hz: int, language_code: str
    ) -> AsyncGenerator[EarsEvent, None]:
        """What is heard in the audio, until it ends. Nothing of the audio is taken before EarsReady."""
        config = stt_pb2.StreamingRecognizeConfig(
            audio_format=audio_pb2.AudioFormat(sample_rate_hz=sample_rate_hz),
            recognition=stt_pb2.RecognitionConfig(language_code=language_code),
            interim_results=True,
            endpointing=stt_pb2.EndpointingConfig(min_speech_ms=self._min_speech_ms),
        )
        is_ready = asyncio.Event()

        async def requests() -> AsyncGenerator[stt_pb2.StreamingRecognizeRequest, None]:
            yield stt_pb2.StreamingRecognizeRequest(config=config)
            await is_ready.wait()  # audio can be taken only once; until then somebody else may listen instead
            async for piece in audio:
                yield stt_pb2.StreamingRecognizeRequest(audio=piece)

        call = self._stub.StreamingRecognize(**self._connection.call_options(self._limit_s))
        async with aclosing(_responses("stt", call, requests())) as responses:
            async for response in responses:
                kind = response.WhichOneof("event")
                if kind == "ready":
                    is_ready.set()
                if kind in _EARS_EVENTS:
                    yield _EARS_EVENTS[kind](getattr(response, kind))


def _heard(transcript: stt_pb2.Transcript) -> SpeechHeard:
    return SpeechHeard(
        transcript.utterance_id,
        transcript.text,
        transcript.is_final,
        transcript.stability,
        transcript.language_code,
        transcript.backend,
        transcript.tentative_text,
    )


def _paused(paused: stt_pb2.SpeechPaused) -> SpeechPaused:
    eager = _heard(paused.eager_transcript) if paused.HasField("eager_transcript") else None
    return SpeechPaused(paused.utterance_id, paused.end_ms, eager)


_EARS_EVENTS: Mapping[str, Callable[[Any], EarsEvent]] = {
    "ready": lambda ready: EarsReady(ready.backend),
    "speech_started": lambda started: SpeechStarted(started.utterance_id, started.start_ms),
    "speech_paused": _paused,
    "speech_resumed": lambda resumed: SpeechResumed(resumed.utterance_id),
    "transcript": _heard,
    "utterance_ended": lambda ended: SpeechEnded(ended.utterance_id, ended.end_ms, ended.endpoint_ms),
}


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

    async def speak(self, text: WrittenText, voice: Voice) -> AsyncGenerator[SpokenAudio, None]:
        """The audio of a text that is still being written. The call is made before there is any: that saves time."""
        config = tts_pb2.StreamingSynthesizeConfig(
            audio_format=audio_pb2.AudioFormat(sample_rate_hz=voice.sample_rate_hz),
            voice=tts_pb2.VoiceConfig(voice=voice.name, language_code=voice.language_code),
        )

        async def requests() -> AsyncGenerator[tts_pb2.StreamingSynthesizeRequest, None]:
            yield tts_pb2.StreamingSynthesizeRequest(config=config)
            async with aclosing(text.read()) as deltas:
                async for delta in deltas:
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
        raise _named(from_rpc_error(error, peer), peer) from error


def _named(error: RemoteError, peer: str) -> RemoteError:
    """The same error, whose message says where it comes from."""
    if error.message.startswith(peer):
        return error
    message = f"{peer}: {error.message}"
    return RemoteError(
        error.status, message, reason=error.detailed_reason, retryable=error.retryable, field=error.field
    )
