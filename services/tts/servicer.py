"""Wire ⇄ domain for the mouth."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import TypeVar

import grpc
import numpy as np

from services.common.audio import Recording, Samples, check_rate, decode_pcm, write_wav
from services.common.capabilities import engine_infos
from services.common.chain import EngineChain
from services.common.errors import InvalidInputError, NotFoundError, OutOfRangeError, UnsupportedError
from services.common.streams import Messages
from services.common.text import check_language, check_length, primary_language
from services.tts.config import TtsSection
from services.tts.engine import TtsEngine, Voice, VoiceChoice
from services.tts.speaker import FlushText, Speaker, SpokenChunk, Tally
from superwhisper.common.v1 import audio_pb2, capabilities_pb2
from superwhisper.tts.v1 import tts_pb2, tts_pb2_grpc

_Context = grpc.aio.ServicerContext[object, object]
ResponseT = TypeVar("ResponseT", tts_pb2.StreamingSynthesizeResponse, tts_pb2.SynthesizeResponse)

_CONTAINERS = (audio_pb2.AUDIO_CONTAINER_RAW, audio_pb2.AUDIO_CONTAINER_WAV)
_FILE_CHUNK_BYTES = 32 * 1024


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
        rate_hz = _rate(config.audio_format) if config.HasField("audio_format") else None
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
        as_file = _is_file(request.container)
        choice = self._choice(request.voice)
        rate_hz = _rate(request.audio_format) if request.HasField("audio_format") else None
        spoken = self._speak(_one(request.text), choice, rate_hz, tts_pb2.SynthesizeResponse)
        async with aclosing(_as_wav(spoken) if as_file else spoken) as responses:
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
        engines = engine_infos(self._chain.status(), _languages)
        return tts_pb2.GetCapabilitiesResponse(engines=engines, limits=limits, containers=_CONTAINERS)

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
                    yield message(started=_started(chunk, choice))
                yield message(audio=_audio(chunk))
                rate_hz = chunk.sample_rate_hz
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
        language = check_language(voice.language_code, "voice.language_code")
        if voice.voice and not any(voice.voice.partition("+")[0] in _names(known) for _, known in self._voices()):
            names = ", ".join(known.name for _, known in self._voices())
            raise NotFoundError(f"voice.voice: nobody has the voice {voice.voice[:80]!r}; there are: {names}")
        return VoiceChoice(
            language_code=language or ("" if voice.voice else self._settings.language_code),
            voice=voice.voice,
            speaker=voice.speaker,
            speed=_factor(voice, "speed", 0.25, 4) or 1.0,
            volume=1.0 if (volume := _factor(voice, "volume", 0, 2)) is None else volume,
            noise_scale=_factor(voice, "noise_scale", 0, 2),
            noise_width=_factor(voice, "noise_width", 0, 2),
        )

    def _voices(self) -> list[tuple[str, Voice]]:
        return [
            (status.name, voice)
            for status in self._chain.status()
            if status.engine is not None
            for voice in status.engine.voices()
        ]


def _names(voice: Voice) -> tuple[str, ...]:
    return (voice.name, *voice.language_codes)


def _languages(engine: TtsEngine) -> list[str]:
    return sorted({code for voice in engine.voices() for code in voice.language_codes})


def _rate(audio_format: audio_pb2.AudioFormat) -> int:
    return check_rate(audio_format.sample_rate_hz, "audio_format.sample_rate_hz")


def _factor(voice: tts_pb2.VoiceConfig, name: str, least: float, most: float) -> float | None:
    """The factor if it was given; NaN fails the comparison too."""
    if not voice.HasField(name):  # type: ignore[arg-type]
        return None
    value = float(getattr(voice, name))
    if not least <= value <= most:
        raise InvalidInputError(f"voice.{name}", f"{value:g} is not between {least:g} and {most:g}")
    return value


def _is_file(container: audio_pb2.AudioContainer.ValueType) -> bool:
    if container in {audio_pb2.AUDIO_CONTAINER_UNSPECIFIED, audio_pb2.AUDIO_CONTAINER_RAW}:
        return False
    if container not in _CONTAINERS:
        raise UnsupportedError("container: only raw PCM and WAV are written")
    return True


async def _one(text: str) -> AsyncIterator[str | FlushText]:
    yield text


def _started(chunk: SpokenChunk, choice: VoiceChoice) -> tts_pb2.SynthesisStarted:
    return tts_pb2.SynthesisStarted(
        audio_format=audio_pb2.AudioFormat(sample_rate_hz=chunk.sample_rate_hz),
        voice=choice.voice or choice.language_code,
        backend=chunk.backend,
    )


def _audio(chunk: SpokenChunk) -> tts_pb2.AudioChunk:
    return tts_pb2.AudioChunk(
        audio=chunk.audio,
        offset_ms=chunk.offset_ms,
        span=audio_pb2.TextSpan(start=chunk.piece.start, end=chunk.piece.end),
        backend=chunk.backend,
        piece=chunk.piece_number,
    )


async def _as_wav(
    spoken: AsyncGenerator[tts_pb2.SynthesizeResponse, None],
) -> AsyncGenerator[tts_pb2.SynthesizeResponse, None]:
    """The same as a WAV file, whose header can only be written when its length is known."""
    samples: list[Samples] = []
    rate_hz = 0
    async with aclosing(spoken):
        async for response in spoken:
            if response.HasField("audio"):
                samples.append(decode_pcm(response.audio.audio, "audio"))
                continue
            if response.HasField("started"):
                rate_hz = response.started.audio_format.sample_rate_hz
            elif rate_hz:
                for start, piece in _pieces(write_wav(Recording(np.concatenate(samples), rate_hz))):
                    yield tts_pb2.SynthesizeResponse(audio=tts_pb2.AudioChunk(audio=piece, piece=start))
            yield response


def _pieces(content: bytes) -> list[tuple[int, bytes]]:
    starts = range(0, len(content), _FILE_CHUNK_BYTES)
    return [(number, content[start : start + _FILE_CHUNK_BYTES]) for number, start in enumerate(starts)]
