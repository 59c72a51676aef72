"""Wire ⇄ domain for the mouth."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import TypeVar

import grpc

from services.common.capabilities import engine_infos
from services.common.chain import EngineChain
from services.common.errors import InvalidInputError, UnsupportedError
from services.common.streams import Messages
from services.common.text import check_language, check_length
from services.tts import containers, wire
from services.tts.config import TtsSection
from services.tts.engine import TtsEngine, Voice, VoiceChoice
from services.tts.mouth import Mouth
from services.tts.speaker import SILENT_RATE_HZ
from services.tts.tally import Tally
from services.tts.track import SpokenChunk
from services.tts.voices import speaks
from superwhisper.common.v1 import capabilities_pb2
from superwhisper.tts.v1 import tts_pb2, tts_pb2_grpc

_Context = grpc.aio.ServicerContext[object, object]
ResponseT = TypeVar("ResponseT", tts_pb2.StreamingSynthesizeResponse, tts_pb2.SynthesizeResponse)
_MB = 1024 * 1024


class TtsServicer(tts_pb2_grpc.TtsServiceServicer):
    """Translates; the Mouth speaks."""

    def __init__(self, mouth: Mouth, chain: EngineChain[TtsEngine], settings: TtsSection) -> None:
        self._mouth = mouth
        self._chain = chain
        self._settings = settings

    async def StreamingSynthesize(
        self, request_iterator: AsyncIterator[tts_pb2.StreamingSynthesizeRequest], context: _Context
    ) -> AsyncGenerator[tts_pb2.StreamingSynthesizeResponse, None]:
        """See the proto."""
        messages = Messages(request_iterator, self._settings.idle_limit_s)
        config = (await messages.first()).config
        choice, rate_hz, tally = self._choice(config.voice), wire.to_rate(config), Tally()
        text = wire.to_text(messages, self._settings.max_text_characters)
        chunks = self._mouth.say(text, choice, rate_hz, tally)
        spoken = self._responses(chunks, choice, rate_hz, tally, tts_pb2.StreamingSynthesizeResponse)
        async with aclosing(spoken) as responses:
            async for response in responses:
                yield response

    async def Synthesize(
        self, request: tts_pb2.SynthesizeRequest, context: _Context
    ) -> AsyncGenerator[tts_pb2.SynthesizeResponse, None]:
        """See the proto."""
        if not request.text.strip():
            raise InvalidInputError("text", "there is nothing to say")
        text = check_length(request.text, self._settings.max_text_characters, "text")
        choice, rate_hz, tally = self._choice(request.voice), wire.to_rate(request), Tally()
        if request.text_type == tts_pb2.TEXT_TYPE_SSML:
            chunks = self._mouth.say_ssml(text, choice, rate_hz, tally)
        else:
            chunks = self._mouth.say(wire.one(text), choice, rate_hz, tally)
        spoken = self._responses(chunks, choice, rate_hz, tally, tts_pb2.SynthesizeResponse)
        packed = containers.pack(spoken, request.container, self._settings.max_file_mb * _MB)
        async with aclosing(packed) as responses:
            async for response in responses:
                yield response

    async def ListVoices(self, request: tts_pb2.ListVoicesRequest, context: _Context) -> tts_pb2.ListVoicesResponse:
        """See the proto."""
        wanted = check_language(request.language_code, "language_code")
        voices = [
            wire.to_voice(backend, voice) for backend, voice in self._voices() if not wanted or speaks(voice, wanted)
        ]
        return tts_pb2.ListVoicesResponse(voices=voices)

    async def GetCapabilities(
        self, request: tts_pb2.GetCapabilitiesRequest, context: _Context
    ) -> tts_pb2.GetCapabilitiesResponse:
        """See the proto."""
        limits = capabilities_pb2.Limits(
            max_stream_ms=int(self._settings.max_stream_s * 1000),
            idle_timeout_ms=int(self._settings.idle_limit_s * 1000),
            max_concurrent_streams=self._settings.max_streams,
            max_text_characters=self._settings.max_text_characters,
            max_recording_bytes=self._settings.max_file_mb * _MB,
        )
        engines = engine_infos(self._chain.status(), wire.languages)
        return tts_pb2.GetCapabilitiesResponse(engines=engines, limits=limits, containers=containers.CONTAINERS)

    async def _responses(
        self,
        chunks: AsyncGenerator[SpokenChunk, None],
        choice: VoiceChoice,
        rate_hz: int | None,
        tally: Tally,
        message: Callable[..., ResponseT],
    ) -> AsyncGenerator[ResponseT, None]:
        try:
            async with aclosing(chunks):
                async for chunk in chunks:
                    rate_hz = chunk.sample_rate_hz
                    if not chunk.first_sample:
                        yield message(started=wire.started(rate_hz, chunk.backend, chunk.voice))
                    yield message(audio=wire.from_chunk(chunk))
        except UnsupportedError as error:
            if choice.voice:  # it has no such variant
                raise wire.no_such_voice(choice.voice, [voice for _, voice in self._voices()]) from error
            raise
        rate_hz = rate_hz or SILENT_RATE_HZ
        if not tally.samples:
            yield message(started=wire.started(rate_hz, self._chain.best().backend, choice.voice))
        yield message(finished=wire.finished(rate_hz, tally))

    def _choice(self, voice: tts_pb2.VoiceConfig) -> VoiceChoice:
        return wire.to_choice(voice, [known for _, known in self._voices()], self._settings.language_code)

    def _voices(self) -> list[tuple[str, Voice]]:
        return [
            (status.name, voice)
            for status in self._chain.status()
            if status.engine is not None
            for voice in status.engine.voices()
        ]
