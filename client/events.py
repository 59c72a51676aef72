"""What is said in a conversation with the assistant: what the client gives, and what it is told."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal


class State(StrEnum):
    """What the assistant is doing."""

    LISTENING = "listening"
    THINKING = "thinking"
    SPEAKING = "speaking"
    YIELDING = "yielding"  # somebody speaks while it replies; it holds the reply until it knows what that was
    UNKNOWN = "unknown"  # told by a newer assistant


class Hold(StrEnum):
    """What becomes of the reply's audio while the assistant yields."""

    PAUSE = "pause"
    DUCK = "duck"  # it goes on, softly


class Outcome(StrEnum):
    """How a turn ended."""

    COMPLETED = "completed"
    INTERRUPTED = "interrupted"
    FAILED = "failed"
    LOST = "lost"  # it ended while the connection was lost: nobody told how
    UNKNOWN = "unknown"


# --- what the client gives


@dataclass(frozen=True)
class MicrophoneAudio:
    """s16le mono PCM at the rate that the conversation was opened with."""

    audio: bytes


@dataclass(frozen=True)
class TypedText:
    """A turn that was typed."""

    text: str


@dataclass(frozen=True)
class Played:
    """How much of a turn's reply really left the loudspeaker."""

    turn_id: str
    samples: int


@dataclass(frozen=True)
class Interrupt:
    """Stop the reply."""


@dataclass(frozen=True)
class Mute:
    """Stop listening, or listen again."""

    muted: bool


@dataclass(frozen=True)
class End:
    """No more input comes."""


Input = MicrophoneAudio | TypedText | Played | Interrupt | Mute | End


# --- what the client is told


@dataclass(frozen=True)
class SessionOpened:
    """The conversation is open."""

    session_id: str
    resume_token: str = field(repr=False)  # whoever has it can go on with the conversation
    resumed: bool
    output_rate_hz: int | None


@dataclass(frozen=True)
class StateChanged:
    """The assistant does something else now."""

    state: State
    hold: Hold | None = None  # while yielding


@dataclass(frozen=True)
class Transcript:
    """What was heard, or typed."""

    text: str
    is_final: bool
    stability: float = 0.0
    language_code: str = ""
    typed: bool = False


@dataclass(frozen=True)
class ReplyText:
    """More of the reply, as text."""

    delta: str


@dataclass(frozen=True)
class ReplyAudio:
    """More of the reply, as audio."""

    audio: bytes = field(repr=False)
    sequence: int
    first_sample: int


@dataclass(frozen=True)
class Interrupted:
    """The reply was cut off; what is still to be played must be thrown away."""

    heard_text: str


@dataclass(frozen=True)
class Degraded:
    """A stage failed; what the assistant did about it."""

    stage: str
    reason: str
    message: str


@dataclass(frozen=True)
class TurnFinished:
    """The turn is over. Times in milliseconds since the last word; a stage that was not reached is absent."""

    outcome: Outcome
    timings_ms: Mapping[str, float]
    backends: Mapping[str, str]


@dataclass(frozen=True)
class ConnectionLost:
    """The client's own: it tries for so long to go on with the conversation. `session` follows where that succeeds."""

    trying_s: float


@dataclass(frozen=True)
class DeviceChanged:
    """The client's own: a microphone (`input`) or loudspeaker (`output`) went, or one is there again."""

    direction: Literal["input", "output"]
    name: str
    is_there: bool


@dataclass(frozen=True)
class HearingChanged:
    """The client's own: the assistant hears the microphone from now on, or no more."""

    is_heard: bool
    reason: str  # continuous, key, wake_word, too_quiet_for_long, muted


@dataclass(frozen=True)
class SoundCardServed:
    """The client's own, at the end: how often the sound card asked for samples or brought some, and had to wait."""

    callbacks: int
    late: int


What = (
    SessionOpened
    | StateChanged
    | Transcript
    | ReplyText
    | ReplyAudio
    | Interrupted
    | Degraded
    | TurnFinished
    | ConnectionLost
    | DeviceChanged
    | HearingChanged
    | SoundCardServed
)


@dataclass(frozen=True)
class Event:
    """Something told, and the turn that it belongs to; empty outside of any."""

    turn_id: str
    what: What
