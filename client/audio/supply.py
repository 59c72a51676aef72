"""What supplies one device: the resampler and the ring in front of it, and what it has played of them."""

from collections import deque
from collections.abc import Callable

from client.audio.output_ring import OutputRing
from client.audio.stretch import Stretch
from client.audio.waiting_audio import Piece, WaitingAudio
from client.events import Played

_ROOM_S = 2.0  # of the ring stays empty for what the resampler may keep and give later; for the other 2 s it is filled
_PORTION_S = 0.1  # resampled at once
_NEARLY_DRY_S = 0.06


class Supply:
    """Lives as long as its device is there."""

    def __init__(self, device_hz: int, latency_s: Callable[[], float]) -> None:
        self.device_hz = device_hz
        self.ring = OutputRing(device_hz)
        self._latency_s = latency_s
        self._sent: deque[Stretch] = deque()  # the first of them is heard, or the next to be
        self._open: Stretch | None = None  # the last of them, if more may follow in it
        self._turn_id: str | None = None  # whose audio the ring got last
        self._position = 0  # in the ring: all before it was heard
        self._played: Played | None = None

    def fill(self, waiting: WaitingAudio, rate_hz: int) -> None:
        """Takes of what waits as much as is sensible."""
        while self.ring.space > _ROOM_S * self.device_hz:
            pieces = waiting.take(max(round(_PORTION_S * rate_hz), 1))
            if not pieces:
                return
            for piece in pieces:
                self._send(piece, rate_hz)

    def _send(self, piece: Piece, rate_hz: int) -> None:
        if self._open is not None and not self._open.is_followed_by(piece):
            self._finish(self._open)
        if piece.turn_id != self._turn_id:
            self._turn_id = piece.turn_id
            self.ring.begin_turn()
        if self._open is None:
            self._open = Stretch(piece, self.ring.end, rate_hz, self.device_hz)
            self._sent.append(self._open)
        self.ring.write(self._open.push(piece))

    def end_if_nearly_dry(self) -> None:
        """Gives what the resampler keeps: it waits for more audio, but the loudspeaker cannot."""
        if self._open is not None and self.ring.waiting < _NEARLY_DRY_S * self.device_hz:
            self._finish(self._open)

    def _finish(self, stretch: Stretch) -> None:
        self.ring.write(stretch.finish())
        self._open = None

    def flush(self) -> None:
        """Throws away what was not heard; what sounds right now fades out."""
        for stretch in self._sent:
            stretch.forget()
        self._open = self._turn_id = None
        self.ring.flush()

    def played(self) -> Played | None:
        """How far the last turn has come that was heard from this device."""
        position = self.ring.heard(self._delay_frames)
        if position:
            self._position = max(self._position, position)  # a latency may grow, but nothing is unheard again
            while len(self._sent) > 1 and self._sent[1].begin < self._position:
                self._sent.popleft()
        if self._sent and self._sent[0].begin < self._position:
            self._played = self._sent[0].heard(self._position)
        return self._played

    @property
    def keeps_something(self) -> bool:
        """Whether the end of what was given is still to come out of the resampler."""
        return self._open is not None and self._open.is_resampled

    @property
    def is_silent(self) -> bool:
        """Whether nothing that the device took is still to be heard."""
        return self.ring.is_silent(self._delay_frames)

    def unheard(self) -> list[Piece]:
        """All that it was given and did not play."""
        self.played()
        return [piece for stretch in self._sent for piece in stretch.unheard(self._position)]

    @property
    def _delay_frames(self) -> int:
        """What the device took and nobody heard yet. One that does not run yet cannot tell."""
        return round(self._latency_s() * self.device_hz) if self.ring.is_running else 0
