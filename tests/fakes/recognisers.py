"""First-class implementations of the ears' seams: a recogniser that hears what a test says, a detector by loudness."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from services.common.audio import Samples
from services.stt.engine import ENGINE_RATE_HZ, HeardWord, Hypothesis, RecognitionOptions, Urgency


@dataclass
class ScriptedRecogniser:
    """Hears `words`, one for each 100 ms that it was fed.

    Its first partials and transcripts fail, as many as is said. So does all when more than `fails_after` words are due,
    and in its n-th session; `holds_transcripts` holds them up.
    """

    words: list[str]
    fails_after: int | None = None
    fails_in_session: int | None = None
    failing_partials: int = 0
    failing_transcripts: int = 0
    holds_transcripts: asyncio.Event | None = None
    partials: list[str] = field(default_factory=list)  # what partials say, in turn, in place of the words
    language_codes: tuple[str, ...] = ("en",)
    sessions: "list[ScriptedSession]" = field(default_factory=list)
    is_closed: bool = False
    at_once: int = 8

    async def open(self, options: RecognitionOptions) -> "ScriptedSession":
        session = ScriptedSession(self, options)
        self.sessions.append(session)
        return session

    async def close(self) -> None:
        self.is_closed = True


@dataclass(eq=False)
class ScriptedSession:
    """Keeps all that it was fed."""

    engine: ScriptedRecogniser
    options: RecognitionOptions
    audio: Samples = field(default_factory=lambda: np.zeros(0, np.int16))
    transcripts: int = 0
    is_closed: bool = False

    async def feed(self, samples: Samples) -> None:
        self.audio = np.concatenate([self.audio, samples])
        too_many = self.engine.fails_after is not None and self._due() > self.engine.fails_after
        if too_many or self.engine.sessions.index(self) + 1 == self.engine.fails_in_session:
            raise RuntimeError("scripted failure")

    async def partial(self) -> Hypothesis:
        if self.engine.failing_partials:
            self.engine.failing_partials -= 1
            raise RuntimeError("scripted failure of a partial")
        if self.engine.partials:
            return Hypothesis(self.engine.partials.pop(0))
        return Hypothesis(" ".join(self.engine.words[: self._due()]), language_code="en")

    async def transcript(self, urgency: Urgency) -> Hypothesis:
        self.transcripts += 1
        if self.engine.failing_transcripts:
            self.engine.failing_transcripts -= 1
            raise RuntimeError("scripted failure of a transcript")
        if self.engine.holds_transcripts is not None:
            await self.engine.holds_transcripts.wait()
        heard = self.engine.words[: self._due()]
        words = tuple(HeardWord(word, 100.0 * index, 100.0 * index + 90) for index, word in enumerate(heard))
        return Hypothesis(" ".join(heard), 0.9, "en", words)

    async def close(self) -> None:
        self.is_closed = True

    def _due(self) -> int:
        return self.audio.size * 10 // ENGINE_RATE_HZ


class LoudnessDetector:
    """Takes every frame that is louder than the noise floor of clean recordings for speech."""

    def probabilities(self, frames: Sequence[Samples]) -> list[float]:
        return [0.9 if np.abs(frame.astype(np.int32)).max() > 300 else 0.05 for frame in frames]
