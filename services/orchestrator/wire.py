"""Translations between the wire and the domain of the orchestrator."""

from collections.abc import Callable
from typing import Any

from services.orchestrator.events import (
    Degraded,
    Event,
    HoldMode,
    Interrupted,
    ReplyAudio,
    ReplyText,
    SessionOpened,
    StateEntered,
    TurnFinished,
    UserTranscript,
)
from services.orchestrator.ports import Stage
from services.orchestrator.turn_events import Outcome, State
from superwhisper.assistant.v1 import assistant_pb2 as pb
from superwhisper.common.v1 import audio_pb2

STAGES = {
    Stage.STT: pb.STAGE_STT,
    Stage.LLM: pb.STAGE_LLM,
    Stage.TTS: pb.STAGE_TTS,
    Stage.PLAYBACK: pb.STAGE_PLAYBACK,
}
_STATES = {
    State.LISTENING: pb.ASSISTANT_STATE_LISTENING,
    State.THINKING: pb.ASSISTANT_STATE_THINKING,
    State.SPEAKING: pb.ASSISTANT_STATE_SPEAKING,
    State.YIELDING: pb.ASSISTANT_STATE_YIELDING,
}
_HOLDS = {HoldMode.PAUSE: pb.HOLD_MODE_PAUSE, HoldMode.DUCK: pb.HOLD_MODE_DUCK, None: pb.HOLD_MODE_UNSPECIFIED}
_OUTCOMES = {
    Outcome.COMPLETED: pb.TURN_OUTCOME_COMPLETED,
    Outcome.INTERRUPTED: pb.TURN_OUTCOME_INTERRUPTED,
    Outcome.FAILED: pb.TURN_OUTCOME_FAILED,
}


def from_event(event: Event) -> pb.ConverseResponse:
    """An event as a message."""
    field, translate = _TRANSLATIONS[type(event.telling)]
    return pb.ConverseResponse(turn_id=event.turn_id, **{field: translate(event.telling)})


def _session(opened: SessionOpened) -> pb.Session:
    rate_hz = opened.output_rate_hz
    return pb.Session(
        session_id=opened.session_id,
        resume_token=opened.resume_token,
        resumed=opened.resumed,
        output_format=audio_pb2.AudioFormat(sample_rate_hz=rate_hz) if rate_hz else None,
    )


def _state(entered: StateEntered) -> pb.StateChanged:
    return pb.StateChanged(state=_STATES[entered.state], hold=_HOLDS[entered.hold])


def _transcript(transcript: UserTranscript) -> pb.UserTranscript:
    return pb.UserTranscript(
        text=transcript.text,
        is_final=transcript.is_final,
        stability=transcript.stability,
        language_code=transcript.language_code,
        typed=transcript.typed,
    )


def _reply_text(reply: ReplyText) -> pb.ReplyText:
    return pb.ReplyText(text_delta=reply.delta)


def _reply_audio(reply: ReplyAudio) -> pb.ReplyAudio:
    return pb.ReplyAudio(
        audio=reply.audio,
        sequence=reply.sequence,
        first_sample=reply.first_sample,
        span=audio_pb2.TextSpan(start=reply.span_start, end=reply.span_end),
    )


def _interrupted(interrupted: Interrupted) -> pb.Interrupted:
    return pb.Interrupted(heard_text=interrupted.heard_text)


def _degraded(degraded: Degraded) -> pb.Degraded:
    return pb.Degraded(stage=STAGES[degraded.stage], reason=degraded.reason, message=degraded.message)


def _turn_finished(finished: TurnFinished) -> pb.TurnFinished:
    backends = {stage.value: backend for stage, backend in finished.backends.items()}
    return pb.TurnFinished(
        outcome=_OUTCOMES[finished.outcome],
        timings=pb.TurnTimings(**vars(finished.timings)),
        backends=pb.TurnBackends(**backends),
    )


_TRANSLATIONS: dict[type, tuple[str, Callable[[Any], Any]]] = {
    SessionOpened: ("session", _session),
    StateEntered: ("state", _state),
    UserTranscript: ("transcript", _transcript),
    ReplyText: ("reply_text", _reply_text),
    ReplyAudio: ("reply_audio", _reply_audio),
    Interrupted: ("interrupted", _interrupted),
    Degraded: ("degraded", _degraded),
    TurnFinished: ("turn_finished", _turn_finished),
}
