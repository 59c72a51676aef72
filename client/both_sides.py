"""The sound of a conversation that is kept, where no microphone gives its pace: what was spoken and what is replied."""

import asyncio
import time
from collections.abc import Callable

import numpy as np

from client.audio.tap import RATE_HZ
from client.events import Event, Interrupted, ReplyAudio, SessionOpened, TurnFinished
from client.resumption import News
from services.common.audio import Recording, Resampler, Samples, decode_pcm, resample

_KEEP_EVERY_S = 0.1
_MAX_AHEAD = 120 * RATE_HZ  # of replies that came faster than anybody would hear them


class BothSides:
    """Gives `take` both of them on one clock, which begins with `keep`: replies as if they were heard as they come."""

    def __init__(
        self, spoken: Recording, take: Callable[[Samples, Samples], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._spoken = resample(spoken, RATE_HZ).samples
        self._replied = np.empty(0, np.int16)
        self._rate_hz = RATE_HZ
        self._resampler = Resampler(self._rate_hz, RATE_HZ)
        self._news = News()
        self._take = take
        self._clock = clock
        self._taken = 0

    def observe(self, event: Event) -> None:
        """The assistant told something."""
        match event.what:
            case SessionOpened(output_rate_hz=int(rate_hz), resumed=False):
                self._rate_hz = rate_hz
                self._resampler = Resampler(rate_hz, RATE_HZ)
            case ReplyAudio() as reply:
                audio = decode_pcm(self._news.audio(event.turn_id, reply), "audio")
                self._replied = np.concatenate((self._replied, self._resampler.push(audio)))
            case TurnFinished():
                rest = self._resampler.push(np.empty(0, np.int16), last=True)
                self._replied = np.concatenate((self._replied, rest))
                self._resampler = Resampler(self._rate_hz, RATE_HZ)
            case Interrupted():
                self._replied = self._replied[:0]

    async def keep(self) -> None:
        """Goes on until it is cancelled; then it takes all that is left."""
        began_at = self._clock()
        try:
            while True:
                await asyncio.sleep(_KEEP_EVERY_S)
                self._pass(max(self._due(began_at), self._replied.size - _MAX_AHEAD))
        finally:
            self._pass(max(self._due(began_at), self._replied.size))

    def _due(self, began_at: float) -> int:
        return int((self._clock() - began_at) * RATE_HZ) - self._taken

    def _pass(self, count: int) -> None:
        if count > 0:
            self._taken += count
            self._take(_first(self._spoken, count), _first(self._replied, count))
            self._spoken, self._replied = self._spoken[count:], self._replied[count:]


def _first(samples: Samples, count: int) -> Samples:
    """So many of them, with silence where there are fewer."""
    return np.pad(samples[:count], (0, max(count - samples.size, 0)))
