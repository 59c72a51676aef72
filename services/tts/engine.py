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


class TtsEngine(Protocol):
    """Speaks one piece of text at a time; any number of callers share it."""

    def voices(self) -> Sequence[Voice]:
        """Its voices, the best of each language first."""

    async def synthesize(self, text: str, choice: VoiceChoice) -> Recording:
        """The spoken text. UnsupportedError where it has no voice of that name or language."""

    async def close(self) -> None:
        """Gives back all that it holds."""
