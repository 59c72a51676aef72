"""The mouth as `say` uses it: what it takes at once, its voices, and its speech as it comes."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, TypeVar

import grpc

from client.errors import as_sentence
from client.peers import Peer
from superwhisper.common.v1 import audio_pb2
from superwhisper.tts.v1 import tts_pb2, tts_pb2_grpc

T = TypeVar("T")
TONE = "tone"  # the engine that speaks no language


@dataclass(frozen=True)
class SpeechStarted:
    """Audio follows, all of this rate. Where nothing is said, this never comes."""

    rate_hz: int


@dataclass(frozen=True)
class SpokenAudio:
    """Some audio, and how many characters of the text were spoken with it."""

    audio: bytes
    characters: int
    is_tone: bool = False  # which stands for words that no engine could speak


@dataclass(frozen=True)
class SpeechFinished:
    """All was spoken; so long it lasts."""

    duration_s: float


Speech = SpeechStarted | SpokenAudio | SpeechFinished


@dataclass(frozen=True)
class Wishes:
    """Who is to speak, and what is to come of it."""

    voice: tts_pb2.VoiceConfig
    rate_hz: int | None = None  # the voice's own
    ssml: bool = False
    container: audio_pb2.AudioContainer.ValueType = audio_pb2.AUDIO_CONTAINER_RAW


class Mouth:
    """The service at the other end."""

    def __init__(self, peer: Peer, limit_s: float) -> None:
        self._peer = peer
        self._limit_s = limit_s

    async def most_characters(self) -> int | None:
        """What one request may hold at most; None: anything."""
        answer: tts_pb2.GetCapabilitiesResponse = await self._ask(
            lambda stub, options: stub.GetCapabilities(tts_pb2.GetCapabilitiesRequest(), **options)
        )
        return answer.limits.max_text_characters or None

    async def voices(self, language_code: str) -> Sequence[tts_pb2.Voice]:
        """Its voices; those of one language if one is named."""
        request = tts_pb2.ListVoicesRequest(language_code=language_code)
        answer: tts_pb2.ListVoicesResponse = await self._ask(lambda stub, options: stub.ListVoices(request, **options))
        return answer.voices

    async def speak(self, text: str, wishes: Wishes) -> AsyncGenerator[Speech, None]:
        """A whole text."""
        request = tts_pb2.SynthesizeRequest(
            text=text,
            text_type=tts_pb2.TEXT_TYPE_SSML if wishes.ssml else tts_pb2.TEXT_TYPE_PLAIN,
            audio_format=_audio_format(wishes),
            voice=wishes.voice,
            container=wishes.container,
        )
        async with self._peer.open() as channel:
            call = _stub(channel).Synthesize(request, **self._peer.call_options(self._limit_s))
            async with aclosing(_speech(self._peer.responses(call))) as speech:
                async for item in speech:
                    yield item

    async def speak_along(self, text: AsyncIterator[str], wishes: Wishes) -> AsyncGenerator[Speech, None]:
        """A text that may still be coming."""

        async def requests() -> AsyncGenerator[tts_pb2.StreamingSynthesizeRequest, None]:
            config = tts_pb2.StreamingSynthesizeConfig(voice=wishes.voice, audio_format=_audio_format(wishes))
            yield tts_pb2.StreamingSynthesizeRequest(config=config)
            async for piece in text:
                yield tts_pb2.StreamingSynthesizeRequest(text_delta=piece)

        async with self._peer.open() as channel:
            call = _stub(channel).StreamingSynthesize(**self._peer.call_options(self._limit_s))
            async with aclosing(_speech(self._peer.responses(call, requests()))) as speech:
                async for item in speech:
                    yield item

    async def _ask(self, ask: Callable[[Any, Any], Awaitable[T]]) -> T:
        """The answer to a single question."""
        async with self._peer.open() as channel:
            try:
                return await ask(_stub(channel), self._peer.call_options(self._limit_s))
            except grpc.aio.AioRpcError as error:
                raise as_sentence(error, self._peer.title, self._peer.address, had_answered=False) from error


def _stub(channel: grpc.aio.Channel) -> "tts_pb2_grpc.TtsServiceAsyncStub":
    stub: tts_pb2_grpc.TtsServiceAsyncStub = tts_pb2_grpc.TtsServiceStub(channel)
    return stub


def _audio_format(wishes: Wishes) -> audio_pb2.AudioFormat | None:
    return audio_pb2.AudioFormat(sample_rate_hz=wishes.rate_hz) if wishes.rate_hz else None


async def _speech(responses: AsyncGenerator[Any, None]) -> AsyncGenerator[Speech, None]:
    """Both kinds of synthesis answer alike."""
    rate_hz = 0
    async with aclosing(responses):
        async for response in responses:
            match response.WhichOneof("event"):
                case "started":
                    rate_hz = response.started.audio_format.sample_rate_hz
                case "audio":
                    if rate_hz:
                        yield SpeechStarted(rate_hz)
                        rate_hz = 0
                    audio = response.audio
                    yield SpokenAudio(audio.audio, audio.span.end, is_tone=audio.backend == TONE)
                case "finished":
                    yield SpeechFinished(response.finished.duration_ms / 1000)
