"""An engine that is asked for a few phrases at a time. The others wait; those of callers who hear nothing go first."""

import asyncio
from collections import deque
from collections.abc import Sequence

from services.common.errors import EngineFailedError
from services.common.slot import Watched
from services.tts.engine import Speech, TtsEngine, Voice, VoiceChoice, Word


class QueuedEngine:
    """Around an engine that has `at_once` threads. Each phrase may take `limit_s` from when its turn has come.

    How long it waited tells nothing of the engine, and is bounded by whoever asks.
    """

    def __init__(self, engine: TtsEngine, at_once: int, limit_s: float) -> None:
        self._engine = engine
        self._limit_s = limit_s
        self._free = at_once
        self._urgent: deque[asyncio.Future[None]] = deque()  # one a waiter, done when its turn has come
        self._others: deque[asyncio.Future[None]] = deque()
        self._limits: set[asyncio.Timeout] = set()  # of what is being spoken

    def voices(self) -> Sequence[Voice]:
        """Those of the engine."""
        return self._engine.voices()

    def identity(self, choice: VoiceChoice) -> str:
        """As the engine says."""
        return self._engine.identity(choice)

    async def synthesize(self, words: Sequence[Word], choice: VoiceChoice, urgent: bool = False) -> Speech:
        """The spoken words, when their turn has come. EngineFailedError where the engine takes too long then."""
        await self._turn(self._urgent if urgent else self._others)
        limit = asyncio.timeout(self._limit_s)
        self._limits.add(limit)
        try:
            async with limit:
                return await self._engine.synthesize(words, choice, urgent)
        except TimeoutError as error:
            if not limit.expired():
                raise
            sentence = f"{len(words)} words took more than {self._limit_s:g} s"
            raise EngineFailedError(sentence, reason="TIMEOUT") from error
        finally:
            self._limits.remove(limit)
            self._pass_on()

    @property
    def is_late(self) -> bool:
        """Whether something is spoken beyond its limit; what waits behind it is not the engine's failure otherwise."""
        return any(limit.expired() for limit in self._limits)

    @property
    def stuck(self) -> str | None:
        """Why a thread of the engine must be taken for lost, if it must."""
        return self._engine.stuck if isinstance(self._engine, Watched) else None

    async def close(self) -> None:
        """Closes the engine; whoever asked it for something has left before."""
        await self._engine.close()

    async def _turn(self, queue: "deque[asyncio.Future[None]]") -> None:
        if self._free:
            self._free -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        queue.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # it came at the same moment
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        for queue in (self._urgent, self._others):
            while queue:
                turn = queue.popleft()
                if not turn.cancelled():  # else its waiter has left
                    turn.set_result(None)
                    return
        self._free += 1
