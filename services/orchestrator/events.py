"""What a conversation tells its client."""

from dataclasses import dataclass, field
from enum import Enum

from services.orchestrator.ports import Stage
from services.orchestrator.turn_events import Outcome, State


@dataclass(frozen=True)
class SessionOpened:
    """The conversation is open."""

    session_id: str
    resume_token: str
    output_rate_hz: int | None
    resumed: bool = False


class HoldMode(Enum):
    """What becomes of a reply's audio while the assistant yields."""

    PAUSE = "pause"
    DUCK = "duck"


@dataclass(frozen=True)
class StateEntered:
    """The assistant does something else now."""

    state: State
    hold: HoldMode | None = None  # while yielding


@dataclass(frozen=True)
class UserTranscript:
    """What was heard, or typed."""

    text: str
    is_final: bool
    stability: float = 1.0
    language_code: str = ""
    typed: bool = False


@dataclass(frozen=True)
class ReplyText:
    """More of the reply, as text."""

    delta: str


@dataclass(frozen=True)
class ReplyAudio:
    """More of the reply, as audio."""

    audio: bytes
    sequence: int
    first_sample: int
    span_start: int
    span_end: int


@dataclass(frozen=True)
class Interrupted:
    """The reply was cut off; `heard_text` is the part that was played."""

    heard_text: str


@dataclass(frozen=True)
class Degraded:
    """A stage failed."""

    stage: Stage
    reason: str
    message: str


@dataclass
class Timings:
    """Milliseconds since the user's last word, or since the text came; None where a stage was not reached."""

    endpoint_ms: float | None = None
    transcript_ms: float | None = None
    first_token_ms: float | None = None
    first_clause_ms: float | None = None
    first_audio_ms: float | None = None
    reply_complete_ms: float | None = None
    total_ms: float = 0.0
    first_heard_ms: float | None = None
    barge_in_stop_ms: float | None = None


@dataclass(frozen=True)
class TurnFinished:
    """The turn is over."""

    outcome: Outcome
    timings: Timings
    backends: dict[Stage, str] = field(default_factory=dict)


Telling = SessionOpened | StateEntered | UserTranscript | ReplyText | ReplyAudio | Interrupted | Degraded | TurnFinished


@dataclass(frozen=True)
class Event:
    """Something told, and the turn that it belongs to; empty outside of any."""

    turn_id: str
    telling: Telling
