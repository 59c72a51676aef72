"""What a client sends in a conversation."""

from dataclasses import dataclass


@dataclass(frozen=True)
class MicrophoneAudio:
    """What the microphone heard."""

    audio: bytes


@dataclass(frozen=True)
class TypedText:
    """A turn that was typed."""

    text: str


@dataclass(frozen=True)
class Played:
    """How much of a turn's audio left the loudspeaker."""

    turn_id: str
    samples: int


@dataclass(frozen=True)
class Interrupt:
    """Stop the reply."""


@dataclass(frozen=True)
class SetMuted:
    """Stop listening, or listen again."""

    muted: bool


@dataclass(frozen=True)
class End:
    """No more input comes."""


ClientInput = MicrophoneAudio | TypedText | Played | Interrupt | SetMuted | End
