"""Translations between the wire and the domain of the ears."""

import threading
from dataclasses import replace

from services.common.audio import Recording, check_rate, decode_pcm
from services.common.errors import InvalidInputError, OutOfRangeError
from services.common.text import check_language
from services.stt.config import EndpointingSection, SttSection
from services.stt.container_kinds import Container, container_of
from services.stt.containers import read_recording
from services.stt.endpointing import Cause, Endpointing
from services.stt.engine import RecognitionOptions
from services.stt.events import Heard, ListenerEvent, SpeechPaused, SpeechResumed, SpeechStarted
from services.stt.recordings import Progress, RecordingTranscript
from superwhisper.common.v1 import audio_pb2
from superwhisper.stt.v1 import stt_pb2

_CONTAINERS = {
    audio_pb2.AUDIO_CONTAINER_WAV: Container.WAV,
    audio_pb2.AUDIO_CONTAINER_FLAC: Container.FLAC,
    audio_pb2.AUDIO_CONTAINER_OGG: Container.OGG,
    audio_pb2.AUDIO_CONTAINER_MP3: Container.MP3,
    audio_pb2.AUDIO_CONTAINER_M4A: Container.M4A,
}
CONTAINERS = (audio_pb2.AUDIO_CONTAINER_RAW, *_CONTAINERS)
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
    "unfinished_wait_ms": (0, 5000),
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
    return RecognitionOptions(
        language_code=check_language(config.language_code, "recognition.language_code"),
        word_timestamps=config.word_timestamps,
        hot_words=tuple(config.hot_words),
        translate=config.task == stt_pb2.RECOGNITION_TASK_TRANSLATE,
        initial_prompt=config.initial_prompt,
    )


def to_endpointing(config: stt_pb2.EndpointingConfig, defaults: EndpointingSection) -> Endpointing:
    """The caller's endpointing over the service's."""
    endpointing = default_endpointing(defaults)
    for name, (least, most) in _ENDPOINTING_RANGES.items():
        if config.HasField(name):  # type: ignore[arg-type]
            value = getattr(config, name)
            if not least <= value <= most:
                raise InvalidInputError(f"endpointing.{name}", f"{value:g} is not between {least:g} and {most:g}")
            endpointing = replace(endpointing, **{name: value})
    if config.HasField("endpoint_silence_ms"):  # who says how long means it, whether somebody judges or not
        endpointing = replace(endpointing, unjudged_silence_ms=config.endpoint_silence_ms)
    return endpointing


def default_endpointing(defaults: EndpointingSection) -> Endpointing:
    """The service's own."""
    return Endpointing(**defaults.model_dump())


def from_endpointing(endpointing: EndpointingSection, *, judged: bool) -> stt_pb2.EndpointingConfig:
    """The service's endpointing; `judged` where it has a turn detector."""
    return stt_pb2.EndpointingConfig(
        soft_pause_ms=endpointing.soft_pause_ms,
        endpoint_silence_ms=endpointing.endpoint_silence_ms if judged else endpointing.unjudged_silence_ms,
        unfinished_wait_ms=endpointing.unfinished_wait_ms if judged else 0,
        min_speech_ms=endpointing.min_speech_ms,
        speech_threshold=endpointing.speech_threshold,
    )


def to_recording(
    audio: bytes,
    container: audio_pb2.AudioContainer.ValueType,
    declared: audio_pb2.AudioFormat,
    settings: SttSection,
    stop: threading.Event,
) -> Recording:
    """The recording in the bytes, mixed down, at whatever rate. It blocks; `stop` ends it early."""
    found = container_of(audio)
    undeclared = container == audio_pb2.AUDIO_CONTAINER_UNSPECIFIED
    if container == audio_pb2.AUDIO_CONTAINER_RAW or (undeclared and found is None and declared.sample_rate_hz):
        return _raw(audio, found, declared, settings.max_recording_s)
    return read_recording(audio, _agreed(container, found), settings.max_recording_s, stop)


def _raw(audio: bytes, found: Container | None, declared: audio_pb2.AudioFormat, limit_s: float) -> Recording:
    # The mark of an MP3 is so short that samples may show it by chance.
    if found is not None and found is not Container.MP3:
        raise InvalidInputError("container", f"declared raw, but the bytes are a {found.value} file; leave it out")
    rate_hz = check_rate(declared.sample_rate_hz, "audio_format.sample_rate_hz")
    recording = Recording(decode_pcm(audio, "audio"), rate_hz)
    if recording.duration_ms > limit_s * 1000:
        raise OutOfRangeError(f"audio: longer than {limit_s:g} s", field="audio")
    return recording


def _agreed(container: audio_pb2.AudioContainer.ValueType, found: Container | None) -> Container:
    """The container that was declared, if the bytes do not say otherwise, or else the one that they show."""
    if container == audio_pb2.AUDIO_CONTAINER_UNSPECIFIED:
        if found is None:
            kinds = ", ".join(kind.value for kind in Container)
            raise InvalidInputError("audio", f"no {kinds} file; for raw PCM, declare audio_format.sample_rate_hz")
        return found
    declared = _CONTAINERS.get(container)
    if declared is None:
        raise InvalidInputError("container", f"{container} is no container; leave it out to have it found out")
    if found not in {None, declared}:
        raise InvalidInputError("container", f"declared {declared.value}, but the bytes are a {found.value} file")
    # Before the first frame of an MP3 there may be anything.
    if found is None and declared is not Container.MP3:
        raise InvalidInputError("audio", f"this is no {declared.value} file")
    return declared


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
        tentative_text=heard.tentative,
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


def from_step(step: Heard | Progress | RecordingTranscript) -> stt_pb2.RecognizeFileResponse:
    """What is told while a recording is transcribed."""
    if isinstance(step, Heard):
        return stt_pb2.RecognizeFileResponse(segment=from_segment(step))
    if isinstance(step, Progress):
        return stt_pb2.RecognizeFileResponse(progress=from_progress(step))
    return stt_pb2.RecognizeFileResponse(result=from_transcript(step))


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
