"""What the conversation knows of those who play its replies, and who stands in where there is no loudspeaker."""

from typing import Protocol

from client.events import Played, ReplyAudio
from services.common.audio import BYTES_PER_SAMPLE


class Player(Protocol):
    """Plays replies, or stands in for what plays them."""

    @property
    def rate_hz(self) -> int:
        """The rate that it likes best."""

    def open(self, rate_hz: int) -> None:
        """Gets ready for audio of this rate."""

    async def play(self, turn_id: str, reply: ReplyAudio) -> None:
        """Takes more audio; waits while far too much is there already."""

    def pause(self) -> None:
        """Plays nothing for now, and keeps what was not played yet."""

    def duck(self) -> None:
        """Plays softly for now."""

    def go_on(self) -> None:
        """Plays as before, from where it stopped."""

    def flush(self) -> None:
        """Throws away what was not played yet."""

    def played(self) -> Played | None:
        """How far the last turn that was played has come."""

    def is_playing(self) -> bool:
        """Whether somebody hears something right now, or is about to."""

    async def drained(self) -> None:
        """Waits until all was played; so it waits out a pause as well. Raises what keeps it from being played."""


class NoLoudspeaker:
    """Stands in where there is no loudspeaker: the reply is read, or heard later from its file."""

    rate_hz = 22_050  # what the voices speak at: nothing needs resampling

    def __init__(self) -> None:
        self._played: Played | None = None

    def open(self, rate_hz: int) -> None:
        """Nothing is needed."""

    async def play(self, turn_id: str, reply: ReplyAudio) -> None:
        """It counts as played at once; of what comes again it changes nothing."""
        end = reply.first_sample + len(reply.audio) // BYTES_PER_SAMPLE
        if self._played is None or self._played.turn_id != turn_id or self._played.samples < end:
            self._played = Played(turn_id, end)

    def pause(self) -> None:
        """Nothing waits."""

    def duck(self) -> None:
        """Nothing is heard anyway."""

    def go_on(self) -> None:
        """Nothing waits."""

    def flush(self) -> None:
        """Nothing waits."""

    def played(self) -> Played | None:
        """All that came."""
        return self._played

    def is_playing(self) -> bool:
        """Never."""
        return False

    async def drained(self) -> None:
        """Nothing waits."""
