"""The audio that the ears are given: no faster than they take it, and silence where a client sends nothing more."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable

from services.common.audio import BYTES_PER_SAMPLE
from services.orchestrator.recent_audio import Piece, RecentAudio

_AT_ONCE_S = 9.5  # the ears take 10 s at once, counted from a moment that may be a little later than ours,
_PACE = 2.0  # and after that twice as much as time passes
_PATIENCE_S = 1.0  # networks falter for less
_SILENCE_S = 0.5  # at a time: a message of it is small enough for the ears at every rate
_MOST_SILENCE_S = 2.0  # in one pause: by default the ears need 1.3 s at most to be sure that somebody is done


class EarsFeed:
    """Takes a client's messages, and gives them to one stream of the ears after the other.

    Who lets go of a button to talk sends nothing more. So silence stands in for what does not come in an utterance,
    which then ends by itself.
    """

    def __init__(
        self,
        recent: RecentAudio,
        sample_rate_hz: int,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._recent = recent
        self._bytes_a_s = sample_rate_hz * BYTES_PER_SAMPLE
        self._silence = bytes(round(_SILENCE_S * sample_rate_hz) * BYTES_PER_SAMPLE)
        self._clock = clock
        self._sleep = sleep
        self._look_at = 0.0  # for a client that sends nothing more
        self._silence_left_s = _MOST_SILENCE_S

    def take(self, audio: bytes) -> None:
        """A message of a client, whose next one is expected after as long as this one lasts."""
        now = self._clock()
        self._recent.add(audio, now)
        self._look_at = now + len(audio) / self._bytes_a_s + _PATIENCE_S
        self._silence_left_s = _MOST_SILENCE_S

    async def pieces(self, is_in_utterance: Callable[[], bool]) -> AsyncGenerator[Piece, None]:
        """What a stream that begins now is given, until the audio ends."""
        began_at, given_s = self._clock(), 0.0
        while (piece := await self._next(is_in_utterance)) is not None:
            given_s += len(piece.audio) / self._bytes_a_s
            early_s = began_at + (given_s - _AT_ONCE_S) / _PACE - self._clock()
            if early_s > 0:
                await self._sleep(early_s)
            yield piece

    async def _next(self, is_in_utterance: Callable[[], bool]) -> Piece | None:
        while True:
            try:
                async with asyncio.timeout(max(0.0, self._look_at - self._clock())):
                    return await self._recent.give()
            except TimeoutError:
                self._nothing_came(is_in_utterance())

    def _nothing_came(self, is_in_utterance: bool) -> None:
        now = self._clock()
        if now < self._look_at:
            return  # something did, in this very moment
        self._look_at = now + _SILENCE_S
        if is_in_utterance and self._silence_left_s > 0:
            self._silence_left_s -= _SILENCE_S
            self._recent.add(self._silence, now)
