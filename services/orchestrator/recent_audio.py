"""What a microphone heard lately: what the ears were not given yet, and what others may have to be given again."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from services.common.audio import BYTES_PER_SAMPLE, decode_pcm

_MOST_GIVEN_S = 9.0
_MOST_WAITING_S = 12.0  # a client may send 10 s at once, while the ears are not ready yet
_SPEECH_S = 0.2  # in a row: knocks and clicks are shorter, and even one word has a syllable that is not
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
    """Gives each piece once, or again from where it matters. Of what is too much to keep the oldest goes first."""

    def __init__(self, sample_rate_hz: int) -> None:
        self._bytes_a_s = sample_rate_hz * BYTES_PER_SAMPLE
        self._given: deque[_Given] = deque()
        self._waiting: deque[Piece] = deque()
        self._waiting_bytes = 0
        self._kept_from_ms = 0.0
        self._position_ms = 0.0
        self.is_whole = True
        """Whether the last utterance that was cut off can still be given again from its beginning."""
        self.has_ended = False
        self._grew = asyncio.Event()

    @property
    def is_over(self) -> bool:
        """Whether all was given, and nothing more comes."""
        return self.has_ended and not self._waiting

    @property
    def is_repeating(self) -> bool:
        """Whether something is kept that an earlier stream had as well."""
        return any(piece.is_repeated for piece in (*(given.piece for given in self._given), *self._waiting))

    def add(self, audio: bytes, came_at: float) -> None:
        """More audio."""
        if self.has_ended or not audio:
            return
        self._waiting.append(Piece(audio, came_at))
        self._waiting_bytes += len(audio)
        while self._waiting_bytes > _MOST_WAITING_S * self._bytes_a_s:
            self.is_whole &= not self._take_first().is_repeated
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
        piece = self._take_first()
        self._position_ms += len(piece.audio) * 1000 / self._bytes_a_s
        self._given.append(_Given(piece, self._position_ms))
        self.forget_all_but(_MOST_GIVEN_S)
        return piece

    def forget(self, until_ms: float) -> None:
        """What the stream had until there need not be given again."""
        while self._given and self._given[0].end_ms <= until_ms:
            self._kept_from_ms = self._given.popleft().end_ms

    def forget_all_but(self, last_s: float) -> None:
        """The same for all that was given before the last seconds."""
        self.forget(self._position_ms - last_s * 1000)

    def rewind(self, open_since_ms: float | None = None) -> None:
        """The next stream gets what this one had; but what two had, a third does not get.

        `open_since_ms`: where in this stream the utterance began in which it was cut off.
        """
        given = [given.piece for given in self._given]
        once = [replace(piece, is_repeated=True) for piece in given if not piece.is_repeated]
        if open_since_ms is not None:
            self.is_whole = self._kept_from_ms <= open_since_ms
        self.is_whole &= len(once) == len(given)
        self._waiting.extendleft(reversed(once))
        self._waiting_bytes += sum(len(piece.audio) for piece in once)
        self._given.clear()
        self._kept_from_ms = self._position_ms = 0.0

    def keep_last(self, seconds: float) -> Sequence[Piece]:
        """Of what waits only the last seconds are kept; the rest is returned."""
        dropped = []
        while self._waiting and self._waiting_bytes - len(self._waiting[0].audio) >= seconds * self._bytes_a_s:
            dropped.append(self._take_first())
        return dropped

    def is_quiet(self) -> bool:
        """Whether nobody seems to speak in what waits."""
        return not self.may_be_speech(self._waiting)

    def may_be_speech(self, pieces: Sequence[Piece]) -> bool:
        """Whether they are loud enough for long enough without a break."""
        samples = decode_pcm(b"".join(piece.audio for piece in pieces), "audio")
        frame = round(_FRAME_S * self._bytes_a_s / BYTES_PER_SAMPLE)
        frames = samples[: samples.size // frame * frame].reshape(-1, frame).astype(np.float32)
        loud = np.sqrt(np.mean(frames**2, axis=1)) > _LOUD
        quiet_at = np.flatnonzero(~np.concatenate(([False], loud, [False])))
        longest = np.diff(quiet_at).max() - 1
        return bool(longest * _FRAME_S >= _SPEECH_S)

    def _take_first(self) -> Piece:
        piece = self._waiting.popleft()
        self._waiting_bytes -= len(piece.audio)
        return piece
