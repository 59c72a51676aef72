"""Reply audio on its way to the loudspeaker, and how much of it was really played. No sound card here."""

import threading
from collections import deque
from dataclasses import dataclass
from typing import Protocol

from client.audio.fader import FULL, SILENT, SOFT, Fader
from client.audio.waiting_audio import Piece, WaitingAudio
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
        """Waits until all was played; so it waits out a pause as well."""


@dataclass(frozen=True)
class _Handed:
    """Reply audio that the sound card took: `samples` of it, from its `first_frame`-th frame on."""

    first_frame: int
    samples: int
    turn_id: str
    first_sample: int


class PlaybackBuffer:
    """Filled by the conversation, emptied by the sound card's thread."""

    def __init__(self, rate_hz: int) -> None:
        self._lock = threading.Lock()
        self._waiting = WaitingAudio()
        self._fader = Fader(rate_hz)
        self._is_sounding = False  # the last frame that was pulled was audio
        self._handed: deque[_Handed] = deque()
        self._frames = 0  # handed to the sound card, silence included
        self._played: Played | None = None

    @property
    def waiting_samples(self) -> int:
        """Audio that the sound card did not take yet."""
        return self._waiting.samples

    def put(self, turn_id: str, first_sample: int, audio: bytes) -> None:
        """More audio to play; what of it was played already is not played again."""
        with self._lock:
            self._waiting.put(Piece(turn_id, first_sample, audio))

    def pull(self, frames: int) -> bytes:
        """The next frames for the sound card; silence where there is nothing to play."""
        with self._lock:
            pieces = self._waiting.take(self._fader.audible(frames))
            for piece in pieces:
                self._handed.append(_Handed(self._frames, piece.samples, piece.turn_id, piece.first_sample))
                self._frames += piece.samples
            audio = self._fader.apply(b"".join(piece.audio for piece in pieces))
            missing = frames - len(audio) // BYTES_PER_SAMPLE
            self._frames += missing
            self._is_sounding = not missing
            if missing:
                self._fader.rest()
        return audio.ljust(frames * BYTES_PER_SAMPLE, b"\0")

    def pause(self) -> None:
        """Silence, and everything waits."""
        self._move_to(SILENT)

    def duck(self) -> None:
        """Softly."""
        self._move_to(SOFT)

    def go_on(self) -> None:
        """As loud as it came, from where it stopped."""
        self._move_to(FULL)

    def _move_to(self, loudness: float) -> None:
        with self._lock:
            self._fader.move_to(loudness)
            if not self._is_sounding:
                self._fader.rest()

    def flush(self) -> None:
        """Throws away what the sound card did not take yet. What sounds right now fades out; what comes is as usual."""
        with self._lock:
            pieces = self._waiting.take(self._fader.ramp_samples) if self._is_sounding else []
            fading = self._fader.fade_out(b"".join(piece.audio for piece in pieces))
            self._waiting.replace([Piece(pieces[0].turn_id, pieces[0].first_sample, fading)] if pieces else [])

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
        """Whether nothing is heard, nor about to be."""
        self.played(delay_frames)
        with self._lock:
            return not self._handed and (not self._waiting.samples or self._fader.target == SILENT)

    def is_empty(self, delay_frames: int) -> bool:
        """Whether everything was heard."""
        self.played(delay_frames)
        with self._lock:
            return not (self._waiting.samples or self._handed)


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
