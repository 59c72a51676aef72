"""Reply audio that was not played yet. A resumed conversation may send some of it again."""

from collections import deque
from dataclasses import dataclass

from services.common.audio import BYTES_PER_SAMPLE


@dataclass(frozen=True)
class Piece:
    """Some audio of a turn's reply. Its parts are views: nothing is copied to cut it."""

    turn_id: str
    first_sample: int
    audio: bytes | memoryview

    @property
    def samples(self) -> int:
        """Its length."""
        return len(self.audio) // BYTES_PER_SAMPLE

    @property
    def end_sample(self) -> int:
        """The sample after its last one."""
        return self.first_sample + self.samples

    def cut(self, sample: int) -> tuple["Piece", "Piece"]:
        """Its parts before that sample of the turn and from it on; one of them may be empty."""
        place = min(max(sample - self.first_sample, 0), self.samples)
        audio, size = memoryview(self.audio), place * BYTES_PER_SAMPLE
        return (
            Piece(self.turn_id, self.first_sample, audio[:size]),
            Piece(self.turn_id, self.first_sample + place, audio[size:]),
        )


class WaitingAudio:
    """Pieces in the order in which they are played, each sample of a turn once."""

    def __init__(self) -> None:
        self.samples = 0
        self._pieces: deque[Piece] = deque()
        self._taken_until = ("", 0)  # a turn, and the first of its samples that was not taken yet

    def put(self, piece: Piece) -> None:
        """Appends it, without what was taken before; what waits of the same samples makes room, for it may differ."""
        turn_id, sample = self._taken_until
        if turn_id == piece.turn_id:
            _, piece = piece.cut(sample)
        if piece.samples:
            self._drop_from(piece.turn_id, piece.first_sample)
            self._append(piece)

    def take(self, limit: int) -> list[Piece]:
        """The next pieces, so many samples at most."""
        taken: list[Piece] = []
        while limit and self._pieces:
            piece = self._pieces.popleft()
            if piece.samples > limit:
                piece, rest = piece.cut(piece.first_sample + limit)
                self._pieces.appendleft(rest)
            taken.append(piece)
            limit -= piece.samples
            self.samples -= piece.samples
            self._taken_until = (piece.turn_id, piece.end_sample)
        return taken

    def put_back(self, pieces: list[Piece]) -> None:
        """They were taken, but not played: they are next again."""
        if pieces:
            self._taken_until = (pieces[0].turn_id, pieces[0].first_sample)
        self._pieces.extendleft(reversed(pieces))
        self.samples += sum(piece.samples for piece in pieces)

    def clear(self) -> None:
        """Nothing waits any more."""
        self._pieces.clear()
        self.samples = 0

    def _append(self, piece: Piece) -> None:
        self._pieces.append(piece)
        self.samples += piece.samples

    def _drop_from(self, turn_id: str, sample: int) -> None:
        while self._pieces and self._pieces[-1].turn_id == turn_id and self._pieces[-1].end_sample > sample:
            last = self._pieces.pop()
            self.samples -= last.samples
            kept, _ = last.cut(sample)
            if kept.samples:
                self._append(kept)
