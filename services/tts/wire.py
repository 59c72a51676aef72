"""Translations between the wire and the domain of the mouth."""

from collections.abc import AsyncIterator, Iterable, Sequence

from services.common.audio import check_rate
from services.common.errors import InvalidInputError, NotFoundError, OutOfRangeError
from services.common.text import check_language
from services.tts.engine import TtsEngine, Voice, VoiceChoice
from services.tts.intake import FlushText
from services.tts.tally import Tally
from services.tts.track import SpokenChunk
from services.tts.voices import has_name, speakers_of, speaks
from superwhisper.common.v1 import audio_pb2
from superwhisper.tts.v1 import tts_pb2

_SHOWN_CHARACTERS = 80  # of what a caller sent, in what he is told
_SHOWN_SPEAKERS = 20  # a voice may have a thousand


def to_choice(voice: tts_pb2.VoiceConfig, known: Sequence[Voice], default_language: str) -> VoiceChoice:
    """Who is to speak, checked against all voices that there are."""
    language = check_language(voice.language_code, "voice.language_code")
    named = [one for one in known if has_name(one, voice.voice)] if voice.voice else []
    if voice.voice and not named:
        raise no_such_voice(voice.voice, known)
    if not language:
        language = next((code for one in named for code in one.language_codes), default_language)
    if voice.speaker:
        _check_speaker(voice.speaker, named or [one for one in known if speaks(one, language)])
    return VoiceChoice(
        language_code=language,
        voice=voice.voice,
        speaker=voice.speaker,
        speed=_factor(voice, "speed", 0.25, 4) or 1.0,
        volume=1.0 if (volume := _factor(voice, "volume", 0, 2)) is None else volume,
        noise_scale=_factor(voice, "noise_scale", 0, 2),
        noise_width=_factor(voice, "noise_width", 0, 2),
    )


def no_such_voice(name: str, known: Iterable[Voice]) -> NotFoundError:
    """What a caller is told who wants a voice that nobody has."""
    names = ", ".join(one.name for one in known)
    return NotFoundError(f"voice.voice: nobody has the voice {name[:_SHOWN_CHARACTERS]!r}; there are: {names}")


def _check_speaker(speaker: str, voices: Iterable[Voice]) -> None:
    names = speakers_of(voices)
    if speaker not in names:
        there_are = f"there are: {_first(names)}" if names else "the voice has only one; leave it empty"
        raise InvalidInputError("voice.speaker", f"no speaker is called {speaker[:_SHOWN_CHARACTERS]!r}; {there_are}")


def _first(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN_SPEAKERS
    return ", ".join(names[:_SHOWN_SPEAKERS]) + (f", and {more} more" if more > 0 else "")


def languages(engine: TtsEngine) -> list[str]:
    """All that it speaks."""
    return sorted({code for voice in engine.voices() for code in voice.language_codes})


def to_voice(backend: str, voice: Voice) -> tts_pb2.Voice:
    """A voice as a message."""
    return tts_pb2.Voice(
        name=voice.name,
        language_codes=voice.language_codes,
        backend=backend,
        sample_rate_hz=voice.sample_rate_hz,
        speakers=voice.speakers,
    )


def to_rate(request: tts_pb2.StreamingSynthesizeConfig | tts_pb2.SynthesizeRequest) -> int | None:
    """The rate asked for, checked; None where none was."""
    if not request.HasField("audio_format"):
        return None
    return check_rate(request.audio_format.sample_rate_hz, "audio_format.sample_rate_hz")


def _factor(voice: tts_pb2.VoiceConfig, name: str, least: float, most: float) -> float | None:
    """The factor if it was given; NaN fails the comparison too."""
    if not voice.HasField(name):  # type: ignore[arg-type]
        return None
    value = float(getattr(voice, name))
    if not least <= value <= most:
        raise InvalidInputError(f"voice.{name}", f"{value:g} is not between {least:g} and {most:g}")
    return value


async def to_text(
    messages: AsyncIterator[tts_pb2.StreamingSynthesizeRequest], max_characters: int
) -> AsyncIterator[str | FlushText]:
    """The text of a stream, if it is not too long, and the commands in it."""
    characters = 0
    async for message in messages:
        if message.WhichOneof("payload") == "control":
            if message.control.WhichOneof("command") != "flush":
                raise InvalidInputError("control.command", "the control message is empty")
            yield FlushText()
            continue
        characters += len(message.text_delta)
        if characters > max_characters:
            raise OutOfRangeError(
                f"text_delta: more than {max_characters} characters in one stream", field="text_delta"
            )
        if message.text_delta:  # an empty one is a sign of life, and no text that goes on
            yield message.text_delta


async def one(text: str) -> AsyncIterator[str | FlushText]:
    """A whole text as a stream."""
    yield text


def started(rate_hz: int, backend: str, voice: str) -> tts_pb2.SynthesisStarted:
    """What is known with the first chunk, or at the end of a text in which there was nothing to say."""
    return tts_pb2.SynthesisStarted(
        audio_format=audio_pb2.AudioFormat(sample_rate_hz=rate_hz),
        voice=voice,
        backend=backend,
    )


def from_chunk(chunk: SpokenChunk) -> tts_pb2.AudioChunk:
    """A chunk as a message."""
    return tts_pb2.AudioChunk(
        audio=chunk.audio,
        offset_ms=chunk.offset_ms,
        span=audio_pb2.TextSpan(start=chunk.span.start, end=chunk.span.end),
        backend=chunk.backend,
        piece=chunk.piece_number,
    )


def finished(rate_hz: int, tally: Tally) -> tts_pb2.SynthesisFinished:
    """What it came to."""
    return tts_pb2.SynthesisFinished(
        duration_ms=tally.samples * 1000 / rate_hz,
        characters=tally.characters,
        first_audio_ms=tally.first_audio_ms,
        processing_ms=tally.processing_ms,
    )
