"""Wire ⇄ domain for the mouth."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import TypeVar

import grpc

from services.common.capabilities import engine_infos
from services.common.chain import EngineChain
from services.common.errors import InvalidInputError, OutOfRangeError, UnsupportedError
from services.common.streams import Messages
from services.common.text import check_language, check_length, primary_language
from services.tts import wire
from services.tts.config import TtsSection
from services.tts.engine import TtsEngine, Voice, VoiceChoice
from services.tts.speaker import FlushText, Speaker, Tally
from superwhisper.common.v1 import capabilities_pb2
from superwhisper.tts.v1 import tts_pb2, tts_pb2_grpc

_Context = grpc.aio.ServicerContext[object, object]
ResponseT = TypeVar("ResponseT", tts_pb2.StreamingSynthesizeResponse, tts_pb2.SynthesizeResponse)
_SILENT_RATE_HZ = 22_050  # of a text in which there was nothing to say, where no rate was asked for


class TtsServicer(tts_pb2_grpc.TtsServiceServicer):
    """Translates; the Speaker speaks."""

    def __init__(self, speaker: Speaker, chain: EngineChain[TtsEngine], settings: TtsSection) -> None:
        self._speaker = speaker
        self._chain = chain
        self._settings = settings

    async def StreamingSynthesize(
        self, request_iterator: AsyncIterator[tts_pb2.StreamingSynthesizeRequest], context: _Context
    ) -> AsyncGenerator[tts_pb2.StreamingSynthesizeResponse, None]:
        """See the proto."""
        messages = Messages(request_iterator, self._settings.idle_limit_s)
        config = (await messages.first()).config
        choice = self._choice(config.voice)
        rate_hz = wire.to_rate(config.audio_format) if config.HasField("audio_format") else None
        text = self._bounded(messages)
        async with aclosing(self._speak(text, choice, rate_hz, tts_pb2.StreamingSynthesizeResponse)) as responses:
            async for response in responses:
                yield response

    async def Synthesize(
        self, request: tts_pb2.SynthesizeRequest, context: _Context
    ) -> AsyncGenerator[tts_pb2.SynthesizeResponse, None]:
        """See the proto."""
        if not request.text.strip():
            raise InvalidInputError("text", "there is nothing to say")
        check_length(request.text, self._settings.max_text_characters, "text")
        if request.text_type == tts_pb2.TEXT_TYPE_SSML:
            raise UnsupportedError("text_type: SSML is not read yet; send plain text")
        as_file = wire.is_file(request.container)
        choice = self._choice(request.voice)
        rate_hz = wire.to_rate(request.audio_format) if request.HasField("audio_format") else None
        spoken = self._speak(wire.one(request.text), choice, rate_hz, tts_pb2.SynthesizeResponse)
        async with aclosing(wire.as_wav(spoken) if as_file else spoken) as responses:
            async for response in responses:
                yield response

    async def ListVoices(self, request: tts_pb2.ListVoicesRequest, context: _Context) -> tts_pb2.ListVoicesResponse:
        """See the proto."""
        wanted = primary_language(check_language(request.language_code, "language_code"))
        voices = [
            tts_pb2.Voice(
                name=voice.name,
                language_codes=voice.language_codes,
                backend=backend,
                sample_rate_hz=voice.sample_rate_hz,
                speakers=voice.speakers,
            )
            for backend, voice in self._voices()
            if not wanted or any(primary_language(code) == wanted for code in voice.language_codes)
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
        )
        engines = engine_infos(self._chain.status(), wire.languages)
        return tts_pb2.GetCapabilitiesResponse(engines=engines, limits=limits, containers=wire.CONTAINERS)

    async def _speak(
        self,
        text: AsyncIterator[str | FlushText],
        choice: VoiceChoice,
        rate_hz: int | None,
        message: Callable[..., ResponseT],
    ) -> AsyncGenerator[ResponseT, None]:
        tally = Tally()
        async with aclosing(self._speaker.speak(text, choice, rate_hz, tally)) as chunks:
            async for chunk in chunks:
                if not chunk.first_sample:
                    yield message(started=wire.started(chunk.sample_rate_hz, chunk.backend, choice))
                yield message(audio=wire.from_chunk(chunk))
                rate_hz = chunk.sample_rate_hz
        if not tally.samples:
            rate_hz = rate_hz or _SILENT_RATE_HZ
            yield message(started=wire.started(rate_hz, self._chain.best().backend, choice))
        yield message(
            finished=tts_pb2.SynthesisFinished(
                duration_ms=tally.samples * 1000 / rate_hz if rate_hz else 0,
                characters=tally.characters,
                first_audio_ms=tally.first_audio_ms,
                processing_ms=tally.processing_ms,
            )
        )

    async def _bounded(self, messages: Messages[tts_pb2.StreamingSynthesizeRequest]) -> AsyncIterator[str | FlushText]:
        characters = 0
        async for message in messages:
            if message.WhichOneof("payload") == "control":
                if message.control.WhichOneof("command") != "flush":
                    raise InvalidInputError("control.command", "the control message is empty")
                yield FlushText()
                continue
            characters += len(message.text_delta)
            if characters > self._settings.max_text_characters:
                raise OutOfRangeError(
                    f"text_delta: more than {self._settings.max_text_characters} characters in one stream",
                    field="text_delta",
                )
            yield message.text_delta

    def _choice(self, voice: tts_pb2.VoiceConfig) -> VoiceChoice:
        known = [known for _, known in self._voices()]
        return wire.to_choice(voice, known, self._settings.language_code)

    def _voices(self) -> list[tuple[str, Voice]]:
        return [
            (status.name, voice)
            for status in self._chain.status()
            if status.engine is not None
            for voice in status.engine.voices()
        ]
