"""What a recogniser and a voice detector are to this service. No gRPC here, and no speech library."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

from services.common.audio import Samples

ENGINE_RATE_HZ = 16_000  # every recogniser of ours, and the voice activity detector, work at this rate
FRAME_SAMPLES = 512  # what the detector looks at
FRAME_MS = FRAME_SAMPLES * 1000 / ENGINE_RATE_HZ  # 32


@dataclass(frozen=True)
class RecognitionOptions:
    """What is known of the speech, and what is wanted back."""

    language_code: str = ""
    word_timestamps: bool = False
    hot_words: tuple[str, ...] = ()
    translate: bool = False
    initial_prompt: str = ""


@dataclass(frozen=True)
class HeardWord:
    """A word, in milliseconds from the first sample that its session was fed."""

    text: str
    start_ms: float
    end_ms: float
    confidence: float = 0.0


@dataclass(frozen=True)
class Hypothesis:
    """What an engine believes to have heard."""

    text: str
    confidence: float = 0.0
    language_code: str = ""
    words: tuple[HeardWord, ...] = ()


class Urgency(IntEnum):
    """Who goes first where several wait for the same decoder."""

    FINAL = 0  # the utterance is over, somebody waits for its text
    EAGER = 1  # it may be over
    PARTIAL = 2  # it goes on; nothing is lost without this one
    RECORDING = 3  # nobody is speaking


class UtteranceSession(Protocol):
    """One utterance: what belongs to it lives here, so that one model serves many."""

    async def feed(self, samples: Samples) -> None:
        """More audio, at ENGINE_RATE_HZ."""

    async def partial(self) -> Hypothesis:
        """What was heard so far, cheaply; may change with more audio."""

    async def transcript(self, urgency: Urgency) -> Hypothesis:
        """What was heard so far, as well as the engine can tell if nothing more comes. More may be fed after it."""

    async def close(self) -> None:
        """Gives the session's resources back, finished or not."""


class SttEngine(Protocol):
    """Recognises speech, several utterances at a time."""

    @property
    def language_codes(self) -> tuple[str, ...]:
        """The languages that it knows; empty means any."""

    @property
    def at_once(self) -> int:
        """How many stretches of one recording it should have at the same time."""

    async def open(self, options: RecognitionOptions) -> UtteranceSession:
        """A session for an utterance. UnsupportedError where it cannot do what is asked."""

    async def close(self) -> None:
        """Gives back all that it holds."""


class VoiceDetector(Protocol):
    """Tells speech from everything else, in one stream: it remembers the frames before."""

    def probabilities(self, frames: Sequence[Samples]) -> list[float]:
        """The probability of speech in each frame of FRAME_SAMPLES samples. Called in a thread."""


MakeDetector = Callable[[], VoiceDetector]
