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
    PLAYBACK = "playback"  # the client's loudspeaker


@dataclass(frozen=True)
class EarsReady:
    """The ears listen. Comes once, first."""

    backend: str


@dataclass(frozen=True)
class SpeechStarted:
    """Somebody began to speak. Utterances are numbered from 1 in each stream; times are of the stream's audio."""

    utterance: int
    start_ms: float


@dataclass(frozen=True)
class SpeechHeard:
    """A transcript of what somebody says, partial or final. `tentative` follows `text`, and may change yet."""

    utterance: int
    text: str
    is_final: bool
    stability: float
    language_code: str
    backend: str
    tentative: str = ""


@dataclass(frozen=True)
class SpeechPaused:
    """The speaker fell silent, perhaps only for a moment: what the final transcript will be if nothing more is said."""

    utterance: int
    end_ms: float
    eager: SpeechHeard | None


@dataclass(frozen=True)
class SpeechResumed:
    """The speaker went on after all; the eager transcript is void."""

    utterance: int


@dataclass(frozen=True)
class SpeechEnded:
    """An utterance is over: its speech ended at `end_ms`, which was decided at `endpoint_ms`."""

    utterance: int
    end_ms: float
    endpoint_ms: float


EarsEvent = EarsReady | SpeechStarted | SpeechHeard | SpeechPaused | SpeechResumed | SpeechEnded


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


class WrittenText(Protocol):
    """A text that is still being written. It can be read by several readers, each from its beginning."""

    def read(self) -> AsyncGenerator[str, None]:
        """What is there, then what is added, until it is complete."""


class Mouth(Protocol):
    """Text to speech."""

    def speak(self, text: WrittenText, voice: Voice) -> AsyncGenerator[SpokenAudio, None]:
        """The audio of a text that is still being written."""


@dataclass(frozen=True)
class Stages:
    """All three."""

    ears: Ears
    mind: Mind
    mouth: Mouth
