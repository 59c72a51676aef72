"""What a speech engine is to this service. No gRPC here, and no speech library."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from services.common.audio import Recording


@dataclass(frozen=True)
class Voice:
    """A voice that an engine has."""

    name: str
    language_codes: tuple[str, ...]
    sample_rate_hz: int
    speakers: tuple[str, ...] = ()


@dataclass(frozen=True)
class VoiceChoice:
    """Who is to speak, and how. Empty strings leave it to the engine."""

    language_code: str = ""
    voice: str = ""
    speaker: str = ""
    speed: float = 1.0
    volume: float = 1.0
    noise_scale: float | None = None
    noise_width: float | None = None


@dataclass(frozen=True)
class Word:
    """A word as it is said, with the marks that follow it: `monsieur`, `demain,`, `« vingt-deux`."""

    text: str  # never empty, and without white space at its ends
    start: int  # the characters of the input that it speaks: from here
    end: int  # up to but not including this one
    ipa: str = ""  # how it sounds, where somebody said so; an engine that cannot read that says `text`


@dataclass(frozen=True)
class Speech:
    """Words, spoken."""

    recording: Recording
    voice: str  # who speaks, by a name under which he can be asked for again
    word_starts: tuple[int, ...] = ()  # first sample of each word; empty where the engine cannot tell


class TtsEngine(Protocol):
    """Speaks a few words at a time; any number of callers share it."""

    def voices(self) -> Sequence[Voice]:
        """Its voices, the best of each language first."""

    def identity(self, choice: VoiceChoice) -> str:
        """Who would speak, and all beside the choice that makes him sound as he does. Fails as `synthesize` does."""

    async def synthesize(self, words: Sequence[Word], choice: VoiceChoice, urgent: bool = False) -> Speech:
        """The spoken words. UnsupportedError where it has no voice of that name, language or speaker.

        `urgent`: its caller has nothing to listen to. One who has goes behind him.
        """

    async def close(self) -> None:
        """Gives back all that it holds."""
