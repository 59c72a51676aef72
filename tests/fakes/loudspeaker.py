"""A client's loudspeaker that plays when it is told to."""

from client.audio.playback import PlaybackBuffer
from client.events import Played, ReplyAudio
from tests.support.waiting import wait_until


class FakeLoudspeaker:
    """What the sound card's thread pulls, a test pulls here."""

    def __init__(self, rate_hz: int = 16_000) -> None:
        self.rate_hz = rate_hz
        self.heard = b""
        self.opened = 0
        self.buffer = PlaybackBuffer(rate_hz)

    def let_play(self, samples: int) -> bytes:
        """So many samples leave it; what they were."""
        pulled = self.buffer.pull(samples)
        self.heard += pulled
        return pulled

    def open(self, rate_hz: int) -> None:
        self.opened += 1

    async def play(self, turn_id: str, reply: ReplyAudio) -> None:
        self.buffer.put(turn_id, reply.first_sample, reply.audio)

    def pause(self) -> None:
        self.buffer.pause()

    def duck(self) -> None:
        self.buffer.duck()

    def go_on(self) -> None:
        self.buffer.go_on()

    def flush(self) -> None:
        self.buffer.flush()

    def played(self) -> Played | None:
        return self.buffer.played(0)

    def is_playing(self) -> bool:
        return not self.buffer.is_silent(0)

    async def drained(self) -> None:
        await wait_until(lambda: self.buffer.is_empty(0), "the loudspeaker to play all it has")
