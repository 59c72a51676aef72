"""What a listener tells of a stream. Times are in milliseconds since its first sample."""

from dataclasses import dataclass

from services.stt.endpointing import Cause
from services.stt.engine import HeardWord


@dataclass(frozen=True)
class SpeechStarted:
    """Somebody began to speak."""

    utterance_id: int
    start_ms: float


@dataclass(frozen=True)
class Heard:
    """A transcript, partial or final. `tentative` follows the text of a partial, and may change yet."""

    utterance_id: int
    text: str
    is_final: bool
    start_ms: float
    end_ms: float
    backend: str
    stability: float = 1.0
    confidence: float = 0.0
    language_code: str = ""
    words: tuple[HeardWord, ...] = ()
    processing_ms: float = 0.0
    tentative: str = ""


@dataclass(frozen=True)
class SpeechPaused:
    """The speaker fell silent, perhaps only for a moment."""

    utterance_id: int
    end_ms: float
    eager: Heard | None


@dataclass(frozen=True)
class SpeechResumed:
    """The speaker went on; the eager transcript is void."""

    utterance_id: int
    resumed_ms: float


@dataclass(frozen=True)
class UtteranceEnded:
    """The utterance is over; its final transcript came before."""

    utterance_id: int
    end_ms: float
    decided_ms: float
    cause: Cause


ListenerEvent = SpeechStarted | Heard | SpeechPaused | SpeechResumed | UtteranceEnded
