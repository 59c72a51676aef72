"""What a microphone heard lately: what the ears were not given yet, and what others may have to be given again."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from services.common.audio import BYTES_PER_SAMPLE, decode_pcm

_MOST_S = 9.0  # the ears take 10 s at once, and after that twice as much as time passes
_SPEECH_S = 0.2
_FRAME_S = 0.02
_LOUD = 32768 * 10 ** (-45 / 20)  # -45 dB of full scale: rooms are softer, voices louder


@dataclass(frozen=True)
class Piece:
    """A message of audio, and when it came."""

    audio: bytes
    came_at: float
    is_repeated: bool = False


@dataclass(frozen=True)
class _Given:
    """A piece that the ears have, and where it ends in their stream."""

    piece: Piece
    end_ms: float


class RecentAudio:
    """Gives each piece once, or again from where it matters. Of all that it keeps the oldest goes first."""

    def __init__(self, sample_rate_hz: int) -> None:
        self._bytes_a_s = sample_rate_hz * BYTES_PER_SAMPLE
        self._given: deque[_Given] = deque()
        self._waiting: deque[Piece] = deque()
        self._kept_bytes = 0
        self._position_ms = 0.0
        self.has_ended = False
        self._grew = asyncio.Event()

    @property
    def is_over(self) -> bool:
        """Whether all was given, and nothing more comes."""
        return self.has_ended and not self._waiting

    def add(self, audio: bytes, came_at: float) -> None:
        """More audio."""
        if self.has_ended or not audio:
            return
        self._waiting.append(Piece(audio, came_at))
        self._kept_bytes += len(audio)
        while self._kept_bytes > _MOST_S * self._bytes_a_s:
            self._drop(self._given.popleft().piece if self._given else self._waiting.popleft())
        self._grew.set()

    def end(self) -> None:
        """No more audio comes."""
        self.has_ended = True
        self._grew.set()

    async def has_more(self) -> bool:
        """Waits until there is something to give; False when nothing more will be."""
        while not self._waiting:
            if self.has_ended:
                return False
            self._grew.clear()
            await self._grew.wait()
        return True

    async def give(self) -> Piece | None:
        """The next piece of the stream, None at its end."""
        if not await self.has_more():
            return None
        piece = self._waiting.popleft()
        self._position_ms += len(piece.audio) * 1000 / self._bytes_a_s
        self._given.append(_Given(piece, self._position_ms))
        return piece

    def forget(self, until_ms: float) -> None:
        """What the stream had until there need not be given again."""
        while self._given and self._given[0].end_ms <= until_ms:
            self._drop(self._given.popleft().piece)

    def forget_all_but(self, last_s: float) -> None:
        """The same for all that was given before the last seconds."""
        self.forget(self._position_ms - last_s * 1000)

    def rewind(self) -> bool:
        """The next stream gets what this one had. Whether that is all of it: what two had, a third does not get."""
        given = [given.piece for given in self._given]
        once = [piece for piece in given if not piece.is_repeated]
        for piece in given[: len(given) - len(once)]:
            self._drop(piece)
        self._waiting.extendleft(replace(piece, is_repeated=True) for piece in reversed(once))
        self._given.clear()
        self._position_ms = 0.0
        return len(once) == len(given)

    def keep_last(self, seconds: float) -> Sequence[Piece]:
        """Of what waits only the last seconds are kept; the rest is returned."""
        waiting_bytes = sum(len(piece.audio) for piece in self._waiting)
        dropped = []
        while self._waiting and waiting_bytes - len(self._waiting[0].audio) >= seconds * self._bytes_a_s:
            waiting_bytes -= len(self._waiting[0].audio)
            dropped.append(self._drop(self._waiting.popleft()))
        return dropped

    def is_quiet(self) -> bool:
        """Whether nobody seems to speak in what waits."""
        return not self.may_be_speech(self._waiting)

    def may_be_speech(self, pieces: Sequence[Piece]) -> bool:
        """Whether they are loud enough for long enough."""
        samples = decode_pcm(b"".join(piece.audio for piece in pieces), "audio")
        frame = round(_FRAME_S * self._bytes_a_s / BYTES_PER_SAMPLE)
        frames = samples[: samples.size // frame * frame].reshape(-1, frame).astype(np.float32)
        loud = np.count_nonzero(np.sqrt(np.mean(frames**2, axis=1)) > _LOUD)
        return bool(loud * _FRAME_S >= _SPEECH_S)

    def _drop(self, piece: Piece) -> Piece:
        self._kept_bytes -= len(piece.audio)
        return piece
