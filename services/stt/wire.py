"""Translations between the wire and the domain of the ears."""

from dataclasses import replace

from services.common.audio import Recording, check_rate, decode_pcm, read_wav
from services.common.errors import InvalidInputError, OutOfRangeError, UnsupportedError
from services.common.text import check_language
from services.stt.config import EndpointingSection, SttSection
from services.stt.endpointing import Cause, Endpointing
from services.stt.engine import RecognitionOptions
from services.stt.events import Heard, ListenerEvent, SpeechPaused, SpeechResumed, SpeechStarted
from services.stt.recordings import Progress, RecordingTranscript
from superwhisper.common.v1 import audio_pb2
from superwhisper.stt.v1 import stt_pb2

CONTAINERS = (audio_pb2.AUDIO_CONTAINER_RAW, audio_pb2.AUDIO_CONTAINER_WAV)
_MAX_HOT_WORDS, _MAX_HOT_WORD_CHARACTERS, _MAX_PROMPT_CHARACTERS = 100, 100, 1000

_REASONS = {
    Cause.SILENCE: stt_pb2.END_REASON_SILENCE,
    Cause.FLUSH: stt_pb2.END_REASON_FLUSH,
    Cause.END_OF_AUDIO: stt_pb2.END_REASON_END_OF_AUDIO,
    Cause.MAX_LENGTH: stt_pb2.END_REASON_MAX_LENGTH,
}
_ENDPOINTING_RANGES = {
    "soft_pause_ms": (50, 2000),
    "endpoint_silence_ms": (200, 5000),
    "min_speech_ms": (32, 1000),
    "speech_threshold": (0.01, 0.99),
}


def to_options(config: stt_pb2.RecognitionConfig) -> RecognitionOptions:
    """What the caller knows of the speech, checked."""
    if len(config.hot_words) > _MAX_HOT_WORDS:
        raise OutOfRangeError(f"recognition.hot_words: more than {_MAX_HOT_WORDS}", field="recognition.hot_words")
    if any(len(word) > _MAX_HOT_WORD_CHARACTERS for word in config.hot_words):
        raise InvalidInputError("recognition.hot_words", f"a word has more than {_MAX_HOT_WORD_CHARACTERS} characters")
    if len(config.initial_prompt) > _MAX_PROMPT_CHARACTERS:
        raise InvalidInputError("recognition.initial_prompt", f"more than {_MAX_PROMPT_CHARACTERS} characters")
    if config.task == stt_pb2.RECOGNITION_TASK_TRANSLATE:
        raise InvalidInputError("recognition.task", "no engine of this service translates")
    return RecognitionOptions(
        language_code=check_language(config.language_code, "recognition.language_code"),
        word_timestamps=config.word_timestamps,
        hot_words=tuple(config.hot_words),
        initial_prompt=config.initial_prompt,
    )


def to_endpointing(config: stt_pb2.EndpointingConfig, defaults: EndpointingSection) -> Endpointing:
    """The caller's endpointing over the service's."""
    endpointing = Endpointing(**defaults.model_dump())
    for name, (least, most) in _ENDPOINTING_RANGES.items():
        if config.HasField(name):  # type: ignore[arg-type]
            value = getattr(config, name)
            if not least <= value <= most:
                raise InvalidInputError(f"endpointing.{name}", f"{value:g} is not between {least:g} and {most:g}")
            endpointing = replace(endpointing, **{name: value})
    return endpointing


def from_endpointing(endpointing: EndpointingSection) -> stt_pb2.EndpointingConfig:
    """The service's endpointing."""
    return stt_pb2.EndpointingConfig(**endpointing.model_dump())


def to_recording(
    audio: bytes, container: audio_pb2.AudioContainer.ValueType, declared: audio_pb2.AudioFormat, settings: SttSection
) -> Recording:
    """The recording in the bytes."""
    if container == audio_pb2.AUDIO_CONTAINER_UNSPECIFIED:
        is_wav = audio[:4] == b"RIFF"
        container = audio_pb2.AUDIO_CONTAINER_WAV if is_wav else audio_pb2.AUDIO_CONTAINER_RAW
    if container == audio_pb2.AUDIO_CONTAINER_WAV:
        recording = read_wav(audio, "audio")
    elif container == audio_pb2.AUDIO_CONTAINER_RAW:
        rate_hz = check_rate(declared.sample_rate_hz, "audio_format.sample_rate_hz")
        recording = Recording(decode_pcm(audio, "audio"), rate_hz)
    else:
        raise UnsupportedError("container: only WAV and raw PCM are read; convert the recording first")
    if recording.duration_ms > settings.max_recording_s * 1000:
        raise OutOfRangeError(f"audio: longer than {settings.max_recording_s:g} s", field="audio")
    return recording


def from_event(event: ListenerEvent) -> stt_pb2.StreamingRecognizeResponse:
    """An event of a stream as a message."""
    message = stt_pb2.StreamingRecognizeResponse
    if isinstance(event, Heard):
        return message(transcript=from_heard(event))
    if isinstance(event, SpeechStarted):
        return message(
            speech_started=stt_pb2.SpeechStarted(utterance_id=event.utterance_id, start_ms=round(event.start_ms))
        )
    if isinstance(event, SpeechPaused):
        eager = from_heard(event.eager) if event.eager else None
        paused = stt_pb2.SpeechPaused(
            utterance_id=event.utterance_id, end_ms=round(event.end_ms), eager_transcript=eager
        )
        return message(speech_paused=paused)
    if isinstance(event, SpeechResumed):
        return message(
            speech_resumed=stt_pb2.SpeechResumed(utterance_id=event.utterance_id, resumed_ms=round(event.resumed_ms))
        )
    ended = stt_pb2.UtteranceEnded(
        utterance_id=event.utterance_id,
        end_ms=round(event.end_ms),
        reason=_REASONS[event.cause],
        endpoint_ms=round(event.decided_ms),
    )
    return message(utterance_ended=ended)


def from_heard(heard: Heard) -> stt_pb2.Transcript:
    """A transcript as a message."""
    return stt_pb2.Transcript(
        text=heard.text,
        is_final=heard.is_final,
        stability=heard.stability,
        confidence=heard.confidence,
        words=_words(heard),
        language_code=heard.language_code,
        start_ms=round(heard.start_ms),
        end_ms=round(heard.end_ms),
        backend=heard.backend,
        utterance_id=heard.utterance_id,
        processing_ms=heard.processing_ms,
    )


def _words(heard: Heard) -> list[stt_pb2.Word]:
    return [
        stt_pb2.Word(
            text=word.text, start_ms=round(word.start_ms), end_ms=round(word.end_ms), confidence=word.confidence
        )
        for word in heard.words
    ]


def from_segment(heard: Heard) -> stt_pb2.Segment:
    """A stretch of speech in a recording as a message."""
    return stt_pb2.Segment(
        text=heard.text,
        start_ms=round(heard.start_ms),
        end_ms=round(heard.end_ms),
        confidence=heard.confidence,
        words=_words(heard),
    )


def from_progress(progress: Progress) -> stt_pb2.RecognizeProgress:
    """Progress as a message."""
    return stt_pb2.RecognizeProgress(processed_ms=round(progress.processed_ms), duration_ms=round(progress.duration_ms))


def from_transcript(transcript: RecordingTranscript) -> stt_pb2.RecognizeResponse:
    """The transcript of a recording as a message."""
    return stt_pb2.RecognizeResponse(
        text=transcript.text,
        segments=[from_segment(segment) for segment in transcript.segments],
        language_code=transcript.segments[0].language_code if transcript.segments else "",
        duration_ms=round(transcript.duration_ms),
        backend=transcript.backend,
        processing_ms=transcript.processing_ms,
    )
