"""A microphone that is not there: what is said to it comes out in messages of 20 ms, and silence in between."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from services.common.audio import Samples, encode_pcm

MESSAGE_S = 0.02


@dataclass(frozen=True)
class Spoken:
    """When something was said: the moments of the messages with its first and with its last sample."""

    began_at: float
    ended_at: float


@dataclass
class _Saying:
    samples: Samples
    sent: int = 0
    began_at: float = 0.0
    spoken: "asyncio.Future[Spoken]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Microphone:
    """One of a given rate."""

    def __init__(self, rate_hz: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._message_samples = round(rate_hz * MESSAGE_S)
        self._clock = clock
        self._sayings: deque[_Saying] = deque()

    async def say(self, samples: Samples) -> Spoken:
        """Says it after what is being said already; returns when its last message was taken."""
        saying = _Saying(samples)
        self._sayings.append(saying)
        return await saying.spoken

    def message(self) -> bytes:
        """The next 20 ms, which are sent now."""
        if not self._sayings:
            return bytes(self._message_samples * 2)
        saying, now = self._sayings[0], self._clock()
        if not saying.sent:
            saying.began_at = now
        piece = saying.samples[saying.sent : saying.sent + self._message_samples]
        saying.sent += piece.size
        if saying.sent == saying.samples.size:
            self._sayings.popleft()
            if not saying.spoken.done():  # whoever waited for it may have left
                saying.spoken.set_result(Spoken(saying.began_at, now))
        return encode_pcm(piece).ljust(self._message_samples * 2, b"\0")
