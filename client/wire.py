"""Translations between the wire and the events of a conversation."""

from collections.abc import Callable
from typing import Any

from client.events import (
    Degraded,
    End,
    Event,
    Hold,
    Input,
    Interrupt,
    Interrupted,
    MicrophoneAudio,
    Mute,
    Outcome,
    Played,
    ReplyAudio,
    ReplyText,
    SessionOpened,
    State,
    StateChanged,
    Transcript,
    TurnFinished,
    TypedText,
    What,
)
from superwhisper.assistant.v1 import assistant_pb2 as pb

# In the order in which a turn passes them.
TIMINGS = (
    "endpoint",
    "transcript",
    "first_token",
    "first_clause",
    "first_audio",
    "first_heard",
    "reply_complete",
    "barge_in_stop",
    "total",
)
_BACKENDS = ("stt", "llm", "tts")
_STATES = {
    pb.ASSISTANT_STATE_LISTENING: State.LISTENING,
    pb.ASSISTANT_STATE_THINKING: State.THINKING,
    pb.ASSISTANT_STATE_SPEAKING: State.SPEAKING,
    pb.ASSISTANT_STATE_YIELDING: State.YIELDING,
}
_OUTCOMES = {
    pb.TURN_OUTCOME_COMPLETED: Outcome.COMPLETED,
    pb.TURN_OUTCOME_INTERRUPTED: Outcome.INTERRUPTED,
    pb.TURN_OUTCOME_FAILED: Outcome.FAILED,
}
_STAGES = {pb.STAGE_STT: "stt", pb.STAGE_LLM: "llm", pb.STAGE_TTS: "tts", pb.STAGE_PLAYBACK: "playback"}


def to_request(given: Input) -> pb.ConverseRequest:
    """What the client gives, as a message."""
    match given:
        case MicrophoneAudio(audio):
            return pb.ConverseRequest(audio=audio)
        case TypedText(text):
            return pb.ConverseRequest(text=text)
        case Played(turn_id, samples):
            return pb.ConverseRequest(playback=pb.Playback(turn_id=turn_id, played_samples=samples))
        case Interrupt():
            return pb.ConverseRequest(control=pb.Control(interrupt=pb.Interrupt()))
        case Mute(muted):
            return pb.ConverseRequest(control=pb.Control(mute=pb.Mute(muted=muted)))
        case End():
            return pb.ConverseRequest(control=pb.Control(end=pb.End()))


def from_response(response: pb.ConverseResponse) -> Event | None:
    """A message as an event; None for a kind that only a newer client knows."""
    kind = response.WhichOneof("event")
    if kind is None:
        return None
    return Event(response.turn_id, _TRANSLATIONS[kind](getattr(response, kind)))


def _session(session: pb.Session) -> SessionOpened:
    rate_hz = session.output_format.sample_rate_hz or None
    return SessionOpened(session.session_id, session.resume_token, session.resumed, rate_hz)


def _state(changed: pb.StateChanged) -> StateChanged:
    state = _STATES.get(changed.state, State.UNKNOWN)
    if state is not State.YIELDING:
        return StateChanged(state)
    # Whatever else a newer assistant may want meanwhile: to be silent is to yield.
    return StateChanged(state, Hold.DUCK if changed.hold == pb.HOLD_MODE_DUCK else Hold.PAUSE)


def _transcript(heard: pb.UserTranscript) -> Transcript:
    return Transcript(heard.text, heard.is_final, heard.stability, heard.language_code, heard.typed)


def _reply_text(reply: pb.ReplyText) -> ReplyText:
    return ReplyText(reply.text_delta)


def _reply_audio(reply: pb.ReplyAudio) -> ReplyAudio:
    return ReplyAudio(reply.audio, reply.sequence, reply.first_sample)


def _interrupted(interrupted: pb.Interrupted) -> Interrupted:
    return Interrupted(interrupted.heard_text)


def _degraded(degraded: pb.Degraded) -> Degraded:
    return Degraded(_STAGES.get(degraded.stage, "unknown"), degraded.reason, degraded.message)


def _turn_finished(finished: pb.TurnFinished) -> TurnFinished:
    timings: Any = finished.timings  # HasField's stubs allow only literals
    return TurnFinished(
        _OUTCOMES.get(finished.outcome, Outcome.UNKNOWN),
        {name: getattr(timings, f"{name}_ms") for name in TIMINGS if name == "total" or timings.HasField(f"{name}_ms")},
        {stage: backend for stage in _BACKENDS if (backend := getattr(finished.backends, stage))},
    )


_TRANSLATIONS: dict[str, Callable[[Any], What]] = {
    "session": _session,
    "state": _state,
    "transcript": _transcript,
    "reply_text": _reply_text,
    "reply_audio": _reply_audio,
    "interrupted": _interrupted,
    "degraded": _degraded,
    "turn_finished": _turn_finished,
}
