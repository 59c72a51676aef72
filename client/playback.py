"""Reply audio on its way to the loudspeaker, and how much of it was really played. No sound card here."""

import threading
from collections import deque
from dataclasses import dataclass
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

    def flush(self) -> None:
        """Throws away what was not played yet."""

    def played(self) -> Played | None:
        """How far the last turn that was played has come."""

    def is_playing(self) -> bool:
        """Whether somebody hears something right now."""

    async def drained(self) -> None:
        """Waits until all was played."""


@dataclass(frozen=True)
class _Handed:
    """Reply audio that the sound card took: `samples` of it, from its `first_frame`-th frame on."""

    first_frame: int
    samples: int
    turn_id: str
    first_sample: int


class PlaybackBuffer:
    """Filled by the conversation, emptied by the sound card's thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[tuple[str, int, bytes]] = deque()  # turn, its sample, audio
        self._waiting_samples = 0
        self._handed: deque[_Handed] = deque()
        self._frames = 0  # handed to the sound card, silence included
        self._played: Played | None = None

    @property
    def waiting_samples(self) -> int:
        """Audio that the sound card did not take yet."""
        return self._waiting_samples

    def put(self, turn_id: str, first_sample: int, audio: bytes) -> None:
        """More audio to play."""
        with self._lock:
            self._waiting.append((turn_id, first_sample, audio))
            self._waiting_samples += len(audio) // BYTES_PER_SAMPLE

    def pull(self, frames: int) -> bytes:
        """The next frames for the sound card; silence where there is nothing to play."""
        pieces: list[bytes] = []
        missing = frames
        with self._lock:
            while missing and self._waiting:
                piece = self._take(missing)
                pieces.append(piece)
                missing -= len(piece) // BYTES_PER_SAMPLE
            self._frames += missing
        return b"".join(pieces).ljust(frames * BYTES_PER_SAMPLE, b"\0")

    def _take(self, limit: int) -> bytes:
        turn_id, first_sample, audio = self._waiting.popleft()
        piece, rest = audio[: limit * BYTES_PER_SAMPLE], audio[limit * BYTES_PER_SAMPLE :]
        samples = len(piece) // BYTES_PER_SAMPLE
        if rest:
            self._waiting.appendleft((turn_id, first_sample + samples, rest))
        self._handed.append(_Handed(self._frames, samples, turn_id, first_sample))
        self._frames += samples
        self._waiting_samples -= samples
        return piece

    def flush(self) -> None:
        """Throws away what the sound card did not take yet."""
        with self._lock:
            self._waiting.clear()
            self._waiting_samples = 0

    def played(self, delay_frames: int) -> Played | None:
        """How far the last turn has come, where the sound card holds back so many frames before they are heard."""
        with self._lock:
            heard = self._frames - delay_frames
            while self._handed and self._handed[0].first_frame < heard:
                piece = self._handed[0]
                samples = min(piece.samples, heard - piece.first_frame)
                self._played = Played(piece.turn_id, piece.first_sample + samples)
                if samples < piece.samples:
                    break
                self._handed.popleft()
            return self._played

    def is_silent(self, delay_frames: int) -> bool:
        """Whether everything was heard."""
        self.played(delay_frames)
        with self._lock:
            return not (self._waiting or self._handed)


class NoLoudspeaker:
    """Stands in where there is no loudspeaker: the reply is read, or heard later from its file."""

    rate_hz = 22_050  # what the voices speak at: nothing needs resampling

    def __init__(self) -> None:
        self._played: Played | None = None

    def open(self, rate_hz: int) -> None:
        """Nothing is needed."""

    async def play(self, turn_id: str, reply: ReplyAudio) -> None:
        """It counts as played at once."""
        self._played = Played(turn_id, reply.first_sample + len(reply.audio) // BYTES_PER_SAMPLE)

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
