"""The three services as the orchestrator sees them. No gRPC here; `clients.py` fulfils these over it."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol


class Stage(Enum):
    """A stage of a turn."""

    STT = "stt"
    LLM = "llm"
    TTS = "tts"


@dataclass(frozen=True)
class SpeechHeard:
    """A transcript of what somebody says, partial or final; times are of the stream's audio."""

    text: str
    is_final: bool
    stability: float
    language_code: str
    backend: str


@dataclass(frozen=True)
class SpeechEnded:
    """An utterance is over: its speech ended at `end_ms`, which was decided at `endpoint_ms`."""

    end_ms: float
    endpoint_ms: float


EarsEvent = SpeechHeard | SpeechEnded


class Ears(Protocol):
    """Speech to text."""

    def listen(
        self, audio: AsyncIterator[bytes], sample_rate_hz: int, language_code: str
    ) -> AsyncGenerator[EarsEvent, None]:
        """What is heard in the audio, until it ends."""


class Speaker(Enum):
    """Who said a line."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


@dataclass(frozen=True)
class Line:
    """One message of a conversation."""

    speaker: Speaker
    text: str


@dataclass(frozen=True)
class ReplyEnd:
    """The reply is complete."""

    backend: str


class Mind(Protocol):
    """The language model."""

    def reply(
        self, conversation_id: str, lines: Sequence[Line], language_code: str
    ) -> AsyncGenerator[str | ReplyEnd, None]:
        """The next line, as it is written; ReplyEnd comes last."""


@dataclass(frozen=True)
class Voice:
    """How a reply is to sound."""

    name: str
    language_code: str
    sample_rate_hz: int


@dataclass(frozen=True)
class SpokenAudio:
    """A little audio, and the characters of the text that it speaks."""

    audio: bytes
    span_start: int
    span_end: int
    backend: str
    piece: int = 0  # which of the mouth's pieces it is of


class Mouth(Protocol):
    """Text to speech."""

    def speak(self, text: AsyncIterator[str], voice: Voice) -> AsyncGenerator[SpokenAudio, None]:
        """The audio of a text that is still being written."""


@dataclass(frozen=True)
class Stages:
    """All three."""

    ears: Ears
    mind: Mind
    mouth: Mouth
