"""Translations between the wire and the domain of the mouth."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing

import numpy as np

from services.common.audio import Recording, Samples, check_rate, decode_pcm, write_wav
from services.common.errors import InvalidInputError, NotFoundError, UnsupportedError
from services.common.text import check_language
from services.tts.engine import TtsEngine, Voice, VoiceChoice
from services.tts.speaker import FlushText, SpokenChunk
from superwhisper.common.v1 import audio_pb2
from superwhisper.tts.v1 import tts_pb2

CONTAINERS = (audio_pb2.AUDIO_CONTAINER_RAW, audio_pb2.AUDIO_CONTAINER_WAV)
_FILE_CHUNK_BYTES = 32 * 1024


def to_choice(voice: tts_pb2.VoiceConfig, known: Sequence[Voice], default_language: str) -> VoiceChoice:
    """Who is to speak, checked against the voices that there are."""
    language = check_language(voice.language_code, "voice.language_code")
    if voice.voice and not any(voice.voice.partition("+")[0] in _names(one) for one in known):
        names = ", ".join(one.name for one in known)
        raise NotFoundError(f"voice.voice: nobody has the voice {voice.voice[:80]!r}; there are: {names}")
    return VoiceChoice(
        language_code=language or ("" if voice.voice else default_language),
        voice=voice.voice,
        speaker=voice.speaker,
        speed=_factor(voice, "speed", 0.25, 4) or 1.0,
        volume=1.0 if (volume := _factor(voice, "volume", 0, 2)) is None else volume,
        noise_scale=_factor(voice, "noise_scale", 0, 2),
        noise_width=_factor(voice, "noise_width", 0, 2),
    )


def _names(voice: Voice) -> tuple[str, ...]:
    return (voice.name, *voice.language_codes)


def languages(engine: TtsEngine) -> list[str]:
    """All that it speaks."""
    return sorted({code for voice in engine.voices() for code in voice.language_codes})


def to_rate(audio_format: audio_pb2.AudioFormat) -> int:
    """The rate asked for, checked."""
    return check_rate(audio_format.sample_rate_hz, "audio_format.sample_rate_hz")


def _factor(voice: tts_pb2.VoiceConfig, name: str, least: float, most: float) -> float | None:
    """The factor if it was given; NaN fails the comparison too."""
    if not voice.HasField(name):  # type: ignore[arg-type]
        return None
    value = float(getattr(voice, name))
    if not least <= value <= most:
        raise InvalidInputError(f"voice.{name}", f"{value:g} is not between {least:g} and {most:g}")
    return value


def is_file(container: audio_pb2.AudioContainer.ValueType) -> bool:
    """Whether a file is wanted, and not raw samples."""
    if container in {audio_pb2.AUDIO_CONTAINER_UNSPECIFIED, audio_pb2.AUDIO_CONTAINER_RAW}:
        return False
    if container not in CONTAINERS:
        raise UnsupportedError("container: only raw PCM and WAV are written")
    return True


async def one(text: str) -> AsyncIterator[str | FlushText]:
    """A whole text as a stream."""
    yield text


def started(rate_hz: int, backend: str, choice: VoiceChoice) -> tts_pb2.SynthesisStarted:
    """What is known with the first chunk, or at the end of a text in which there was nothing to say."""
    return tts_pb2.SynthesisStarted(
        audio_format=audio_pb2.AudioFormat(sample_rate_hz=rate_hz),
        voice=choice.voice or choice.language_code,
        backend=backend,
    )


def from_chunk(chunk: SpokenChunk) -> tts_pb2.AudioChunk:
    """A chunk as a message."""
    return tts_pb2.AudioChunk(
        audio=chunk.audio,
        offset_ms=chunk.offset_ms,
        span=audio_pb2.TextSpan(start=chunk.piece.start, end=chunk.piece.end),
        backend=chunk.backend,
        piece=chunk.piece_number,
    )


async def as_wav(
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
            else:
                whole = Recording(np.concatenate(samples) if samples else np.zeros(0, np.int16), rate_hz)
                for start, piece in _pieces(write_wav(whole)):
                    yield tts_pb2.SynthesizeResponse(audio=tts_pb2.AudioChunk(audio=piece, piece=start))
            yield response


def _pieces(content: bytes) -> list[tuple[int, bytes]]:
    starts = range(0, len(content), _FILE_CHUNK_BYTES)
    return [(number, content[start : start + _FILE_CHUNK_BYTES]) for number, start in enumerate(starts)]
