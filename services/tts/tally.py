"""What one synthesis comes to."""

import time
from dataclasses import dataclass


@dataclass
class Tally:
    """Text that came, audio that left, and the time in between."""

    characters: int = 0
    samples: int = 0
    pieces: int = 0
    first_audio_ms: float = 0.0  # since the first text
    processing_ms: float = 0.0
    _began_at_s: float = 0.0

    def receive(self, text: str) -> None:
        """More text."""
        if not self.characters:
            self._began_at_s = time.monotonic()
        self.characters += len(text)

    def elapsed_ms(self) -> float:
        """Since the first text."""
        return (time.monotonic() - self._began_at_s) * 1000
