"""One utterance on its way through the chain of engines.

Its audio is kept until it is over: when an engine fails in the middle, the next one hears all of it again.
"""

import numpy as np

from services.common.audio import Samples
from services.common.chain import Answer, EngineChain
from services.stt.engine import Hypothesis, RecognitionOptions, SttEngine, UtteranceSession


class Utterance:
    """Feeds an engine's session; opens another one where the chain moves on."""

    def __init__(self, chain: EngineChain[SttEngine], options: RecognitionOptions, limit_s: float) -> None:
        self._chain = chain
        self._options = options
        self._limit_s = limit_s
        self._audio: list[Samples] = []
        self._fed = 0
        self._engine: SttEngine | None = None
        self._session: UtteranceSession | None = None

    def feed(self, samples: Samples) -> None:
        """More audio, at ENGINE_RATE_HZ. It reaches the engine with the next question."""
        self._audio.append(samples)

    async def partial(self) -> Answer[Hypothesis]:
        """What was heard so far."""

        async def use(engine: SttEngine) -> Hypothesis:
            return await (await self._caught_up(engine)).partial()

        return await self._chain.call(use, self._limit_s)

    async def transcript(self) -> Answer[Hypothesis]:
        """What was heard, if nothing more comes."""

        async def use(engine: SttEngine) -> Hypothesis:
            return await (await self._caught_up(engine)).transcript()

        return await self._chain.call(use, self._limit_s)

    async def close(self) -> None:
        """Gives the engine's session back."""
        session, self._session, self._engine = self._session, None, None
        if session is not None:
            await session.close()

    async def _caught_up(self, engine: SttEngine) -> UtteranceSession:
        """The session on this engine, with all audio fed."""
        if self._session is None or self._engine is not engine:
            await self.close()
            self._session, self._engine, self._fed = await engine.open(self._options), engine, 0
        missing = self._audio[self._fed :]
        if missing:
            self._fed = len(self._audio)
            await self._session.feed(np.concatenate(missing))
        return self._session
