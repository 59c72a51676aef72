"""The loudspeaker: plays replies on whatever device is there, and knows how much of them was heard."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from client.audio.devices import Render
from client.audio.fader import FULL, SILENT, SOFT
from client.audio.supply import Supply
from client.audio.waiting_audio import Piece, WaitingAudio
from client.errors import CommandError
from client.events import Played, ReplyAudio
from client.messages import tr

_USUAL_RATE_HZ = 48_000
_MAX_WAITING_S = 120  # of audio that came faster than it is played; what is beyond waits in the connection
_MAX_PAUSED_S = 1200  # what ends the pause may be behind it in the connection
_LOOK_EVERY_S = 0.02  # a third of what counts as nearly dry
_GONE_FOR_GOOD_S = 12.0  # without a device: one that was plugged in again would have been found by now
_MAY_START_S = 3.0  # from when a device is attached until its thread comes
# Without a device, until replies go by unheard: a change takes less, and the assistant gives up one that stands still.
_GOES_ON_AFTER_S = 1.0
_MOST_AT_ONCE_S = 0.1  # of what goes by: there was nothing to go by before


class Speaker:
    """Plays the conversation's audio (a `Player`), and is what the sound card plays (a `Mouthpiece`).

    Everything here belongs on the event loop's thread; only what `attach` returns is called by the sound card's.
    `keep_filled` must run meanwhile. What `must_be_heard` waits for a device, until none is to be expected any more;
    else it goes by unheard, as fast as it would be played: a conversation goes on, and its text is read.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        *,
        must_be_heard: bool = True,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._must_be_heard = must_be_heard
        self._rate_hz: int | None = None
        self._waiting = WaitingAudio()
        self._supply: Supply | None = None
        self._gone_since = self._attached_at = self._went_by_at = clock()  # the first: where no device runs
        self._loudness = FULL
        self._played: Played | None = None
        self._came = asyncio.Event()  # more to play, or somebody who plays it

    # --- the device

    def attach(self, rate_hz: int, latency_s: Callable[[], float]) -> Render:
        """A loudspeaker is about to start: what it is to play. `latency_s` is asked for from its first frame on."""
        self.detach()
        self._attached_at = self._clock()
        self._supply = Supply(rate_hz, latency_s)
        self._supply.ring.move_to(self._loudness)
        self._fill()
        self._came.set()
        return self._supply.ring.render

    def detach(self) -> None:
        """It is gone; what was not heard yet waits for the next one."""
        if self._supply is None:
            return
        self.played()
        self._supply.ring.move_to(SILENT)  # if it lives on for a moment, it must not play what the next one will
        self._waiting.put_back(self._supply.unheard())
        if self._supply.ring.is_running:  # not one that was only tried
            self._gone_since = self._clock()
        self._supply = None

    # --- the conversation

    @property
    def rate_hz(self) -> int:
        """The rate of what it is given; until that is agreed upon, the one that it likes best."""
        return self._rate_hz or (self._supply.device_hz if self._supply else _USUAL_RATE_HZ)

    @property
    def waiting_samples(self) -> int:
        """Audio that no device took yet."""
        supply = self._supply
        in_ring = supply.ring.waiting * self.rate_hz // supply.device_hz if supply else 0
        return self._waiting.samples + in_ring

    def open(self, rate_hz: int) -> None:
        """Gets ready for audio of this rate; what there was of another is thrown away."""
        self.flush()
        self._waiting = WaitingAudio()
        self._rate_hz = rate_hz

    async def play(self, turn_id: str, reply: ReplyAudio) -> None:
        """Takes more audio; waits while far too much is there already."""
        while self._waiting.samples > self._most_waiting_s * self.rate_hz:
            self._raise_if_gone_for_good()
            await self._sleep(_LOOK_EVERY_S)
        self._waiting.put(Piece(turn_id, reply.first_sample, reply.audio))
        self._fill()
        self._came.set()

    def pause(self) -> None:
        """Plays nothing for now, and keeps what was not played yet."""
        self._move_to(SILENT)

    def duck(self) -> None:
        """Plays softly for now."""
        self._move_to(SOFT)

    def go_on(self) -> None:
        """Plays as before, from where it stopped."""
        self._move_to(FULL)

    @property
    def _most_waiting_s(self) -> int:
        return _MAX_PAUSED_S if self._loudness == SILENT else _MAX_WAITING_S

    def _move_to(self, loudness: float) -> None:
        self._loudness = loudness
        if self._supply is not None:
            self._supply.ring.move_to(loudness)

    def flush(self) -> None:
        """Throws away what was not played yet. What sounds fades out; what comes after it is as loud as usual."""
        self._waiting.clear()
        self._loudness = FULL
        if self._supply is not None:
            self._supply.flush()

    def played(self) -> Played | None:
        """How far the last turn that was played has come."""
        if self._supply is not None:
            self._played = self._supply.played() or self._played
        return self._played

    def is_playing(self) -> bool:
        """Whether somebody hears something right now, or is about to."""
        if self._supply is None:
            return False
        is_due = self._loudness != SILENT and not self._is_taken(self._supply)
        return is_due or not self._supply.is_silent

    async def drained(self) -> None:
        """Waits until all was played, and so waits out a pause as well, unless the loudspeaker is gone for good."""
        while not self._is_empty():
            self._raise_if_gone_for_good()
            await self._sleep(_LOOK_EVERY_S)
            self._tick()

    async def keep_filled(self) -> None:
        """Keeps the device supplied, until it is cancelled. It sleeps while there is nothing to do."""
        while True:
            await self._came.wait()
            while self._came.is_set() or self._has_more():
                await self._sleep(_LOOK_EVERY_S)
                self._tick()

    # --- in between

    def _tick(self) -> None:
        came = self._came.is_set()
        self._came.clear()
        self._fill()
        self._let_go_by()
        if self._supply is not None and not came and not self._waiting.samples:
            self._supply.end_if_nearly_dry()

    def _fill(self) -> None:
        if self._supply is not None:
            self._supply.fill(self._waiting, self.rate_hz)

    def _let_go_by(self) -> None:
        now = self._clock()
        passed_s, self._went_by_at = min(now - self._went_by_at, _MOST_AT_ONCE_S), now
        is_missed = self._supply is None and now - self._gone_since > _GOES_ON_AFTER_S
        if is_missed and not self._must_be_heard and self._loudness != SILENT:
            for piece in self._waiting.take(round(passed_s * self.rate_hz)):
                self._played = Played(piece.turn_id, piece.end_sample)

    def _has_more(self) -> bool:
        if self._supply is None:
            return not self._must_be_heard and bool(self._waiting.samples)
        return self._supply.keeps_something or bool(self._waiting.samples)

    def _is_taken(self, supply: Supply) -> bool:
        """Whether the device took all there is."""
        return not (self._waiting.samples or supply.keeps_something or supply.ring.waiting)

    def _is_empty(self) -> bool:
        """Whether all was heard."""
        if self._supply is None:
            return not self._waiting.samples
        return self._is_taken(self._supply) and self._supply.is_silent

    def _raise_if_gone_for_good(self) -> None:
        if not self._must_be_heard:
            return
        now, supply = self._clock(), self._supply
        may_come = supply is not None and (supply.ring.is_running or now - self._attached_at < _MAY_START_S)
        if not may_come and now - self._gone_since > _GONE_FOR_GOOD_S:
            raise CommandError(tr("the loudspeaker is gone: plug it in again and start anew"))
