"""One utterance on its way through the chain of engines.

Its audio is kept until it is understood: when an engine fails in the middle, the next one hears all of it again. Speech
longer than a decoder's window is cut at a pause; each piece is understood once, as soon as the next one has begun.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from services.common.audio import Samples
from services.common.chain import Answer, EngineChain
from services.stt.cuts import PIECE_SAMPLES, cut_of
from services.stt.engine import ENGINE_RATE_HZ, Hypothesis, RecognitionOptions, SttEngine, Urgency, UtteranceSession


@dataclass(frozen=True)
class Piece:
    """A stretch of an utterance, in milliseconds from its first sample, and what was heard in it."""

    begin_ms: float
    end_ms: float
    answer: Answer[Hypothesis]


class Utterance:
    """Feeds an engine's session; opens another one where the chain moves on, or where a piece is full."""

    def __init__(self, chain: EngineChain[SttEngine], options: RecognitionOptions, limit_s: float) -> None:
        """`limit_s` is what an engine may take over one piece."""
        self._chain = chain
        self._options = options
        self._limit_s = limit_s
        self._understood: list[Piece] = []
        self._begin = 0  # the first sample of the piece that is open
        self._audio = np.zeros(0, np.int16)
        self._coming: list[Samples] = []
        self._fed = 0
        self._engine: SttEngine | None = None
        self._session: UtteranceSession | None = None

    def feed(self, samples: Samples) -> None:
        """More audio, at ENGINE_RATE_HZ. It reaches the engine with the next question."""
        self._coming.append(samples)

    @property
    def is_full(self) -> bool:
        """Whether there is more audio than fits into one piece."""
        return self._audio.size + sum(samples.size for samples in self._coming) > PIECE_SAMPLES

    async def advance(self, urgency: Urgency) -> None:
        """Understands the pieces that are full. Cancelled, it has changed nothing but what it finished."""
        while self._gathered().size > PIECE_SAMPLES:
            head = self._audio[: cut_of(self._audio)]
            await self.close()  # its session may have heard beyond the cut
            answer = await self._ask(head, lambda session: session.transcript(urgency))
            await self.close()
            self._understood.append(self._piece(head, answer))
            self._audio = self._audio[head.size :]
            self._begin += head.size

    async def partial(self) -> Answer[Hypothesis]:
        """What was heard so far."""
        await self.advance(Urgency.EAGER)
        audio = self._gathered()
        answer = await self._ask(audio, lambda session: session.partial())
        return _joined([*self._understood, self._piece(audio, answer)])

    async def transcript(self, urgency: Urgency) -> Answer[Hypothesis]:
        """What was heard, if nothing more comes."""
        return _joined(await self.pieces(urgency))

    async def pieces(self, urgency: Urgency) -> Sequence[Piece]:
        """The same, piece by piece."""
        await self.advance(urgency)
        audio = self._gathered()
        answer = await self._ask(audio, lambda session: session.transcript(urgency))
        return [*self._understood, self._piece(audio, answer)]

    async def close(self) -> None:
        """Gives the engine's session back."""
        session, self._session, self._engine = self._session, None, None
        if session is not None:
            await session.close()

    def _gathered(self) -> Samples:
        """The audio of the piece that is open."""
        if self._coming:
            self._audio = np.concatenate([self._audio, *self._coming])
            self._coming.clear()
        return self._audio

    def _piece(self, audio: Samples, answer: Answer[Hypothesis]) -> Piece:
        begin_ms, length_ms = (samples * 1000 / ENGINE_RATE_HZ for samples in (self._begin, audio.size))
        return Piece(begin_ms, begin_ms + length_ms, answer)

    async def _ask(
        self, audio: Samples, question: Callable[[UtteranceSession], Awaitable[Hypothesis]]
    ) -> Answer[Hypothesis]:
        async def use(engine: SttEngine) -> Hypothesis:
            return await question(await self._caught_up(engine, audio))

        return await self._chain.call(use, self._limit_s)

    async def _caught_up(self, engine: SttEngine, audio: Samples) -> UtteranceSession:
        """The session on this engine, with all of the audio fed."""
        if self._session is None or self._engine is not engine:
            await self.close()
            self._session, self._engine, self._fed = await engine.open(self._options), engine, 0
        if audio.size > self._fed:
            missing, self._fed = audio[self._fed :], audio.size
            await self._session.feed(missing)
        return self._session


def _joined(pieces: Sequence[Piece]) -> Answer[Hypothesis]:
    """All pieces as one; the last one's engine stands for all."""
    heard = [piece.answer.value for piece in pieces]
    spoken = [hypothesis for hypothesis in heard if hypothesis.text]
    whole = Hypothesis(
        text=" ".join(hypothesis.text for hypothesis in spoken),
        confidence=sum(hypothesis.confidence for hypothesis in spoken) / len(spoken) if spoken else 0.0,
        language_code=(spoken or heard)[0].language_code,
        words=tuple(
            replace(word, start_ms=word.start_ms + piece.begin_ms, end_ms=word.end_ms + piece.begin_ms)
            for piece in pieces
            for word in piece.answer.value.words
        ),
    )
    return Answer(pieces[-1].answer.backend, whole)
