"""When the stages of a turn were reached: moments, from which its times are reckoned."""

from dataclasses import dataclass, field

from services.orchestrator.events import Timings
from services.orchestrator.turn_events import Said


@dataclass
class Marks:
    """Moments on the conversation's clock; None where a stage was not reached."""

    transcript: float | None = None
    first_token: float | None = None
    first_audio: float | None = None
    reply_complete: float | None = None
    silenced: float | None = None  # somebody spoke into it, and it fell silent
    spoken_into_at: float | None = None  # the first sound of whoever did
    _growth: list[tuple[int, float]] = field(default_factory=list)
    first_clause: float | None = None

    def grew(self, length: int, now: float) -> None:
        """The text is so long now."""
        if self.first_token is None:
            self.first_token = now
        if self.first_audio is None:
            self._growth.append((length, now))

    def clause_spoken(self, end: int) -> None:
        """The first clause is what the mouth took for one; it was complete when the text had grown to its end."""
        self.first_clause = next((moment for length, moment in self._growth if length >= end), self.first_clause)

    def timings(self, said: Said, first_heard: float | None, now: float) -> Timings:
        """As they are told: milliseconds since the user's last word. A draft may have been faster than the ears."""

        def since(moment: float | None) -> float | None:
            return None if moment is None else max(0.0, (moment - said.said_at) * 1000)

        return Timings(
            endpoint_ms=since(said.decided_at),
            transcript_ms=since(self.transcript),
            first_token_ms=since(self.first_token),
            first_clause_ms=since(self.first_clause),
            first_audio_ms=since(self.first_audio),
            reply_complete_ms=since(self.reply_complete),
            total_ms=(now - said.said_at) * 1000,
            first_heard_ms=since(first_heard),
            barge_in_stop_ms=self._stop_ms(),
        )

    def _stop_ms(self) -> float | None:
        if self.silenced is None or self.spoken_into_at is None:
            return None
        return max(0.0, (self.silenced - self.spoken_into_at) * 1000)
