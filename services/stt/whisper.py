"""The Whisper engine: one model, one thread, one queue; sessions that hold an utterance each."""

from collections.abc import Callable, Sequence

import numpy as np

from services.common.audio import Samples
from services.common.threads import EngineThreads, run_blocking
from services.stt.engine import ENGINE_RATE_HZ, Hypothesis, RecognitionOptions, Urgency
from services.stt.metrics import DecoderMetrics
from services.stt.scheduler import Scheduler, SchedulerLimits
from services.stt.warm_up import warmed_up
from services.stt.whisper_model import Passage, WhisperModel

# A decoding that takes longer than this hangs. Callers give up earlier: the chain's limit is 5 s a minute of audio.
_HANGS_AFTER_S = 8.0
_AND_PER_SECOND_OF_AUDIO_S = 0.4
# What may be spent on decoding doubtful speech anew; one pass more may be under way then.
_LIVE_LOOKS_S, _RECORDING_LOOKS_S = 1.0, 10.0


class WhisperEngine:
    """A model and the queue in front of it."""

    def __init__(
        self, model: WhisperModel, threads: EngineThreads, metrics: DecoderMetrics, limits: SchedulerLimits
    ) -> None:
        self._model = model
        self._batch = limits.batch
        self._threads = threads
        self._scheduler = Scheduler(model.decode, model.alike, _limit_s, threads, metrics, limits)

    @classmethod
    async def load(
        cls, name: str, make: Callable[[], WhisperModel], metrics: DecoderMetrics, limits: SchedulerLimits
    ) -> "WhisperEngine":
        """Loads the model and lets it listen to silence."""
        threads = EngineThreads(1, name)
        try:
            engine = cls(await run_blocking(threads, lambda _stop: make()), threads, metrics, limits)
        except BaseException:
            threads.shutdown(wait=False)
            raise
        return await warmed_up(engine, RecognitionOptions())

    @property
    def language_codes(self) -> tuple[str, ...]:
        """A multilingual one tries any."""
        return () if self._model.is_multilingual else ("en",)

    @property
    def at_once(self) -> int:
        """A batch."""
        return self._batch

    @property
    def stuck(self) -> str | None:
        """Why its thread must be taken for lost, if it must."""
        return self._threads.stuck

    async def open(self, options: RecognitionOptions) -> "WhisperSession":
        """At once: sessions share the model."""
        self._model.check(options)
        return WhisperSession(self._scheduler, options)

    async def close(self) -> None:
        """Gives the model's memory back when its thread is done."""
        await self._scheduler.close()
        try:
            if self._threads.stuck is None:
                await run_blocking(self._threads, lambda _stop: self._model.close())
        finally:
            self._threads.shutdown(wait=False)


class WhisperSession:
    """One utterance, or a piece of one: at most 30 s."""

    def __init__(self, scheduler: Scheduler[Passage, Hypothesis], options: RecognitionOptions) -> None:
        self._scheduler = scheduler
        self._options = options
        self._caller = scheduler.join()
        self._audio: list[Samples] = []

    async def feed(self, samples: Samples) -> None:
        """Keeps the samples."""
        self._audio.append(samples)

    async def partial(self) -> Hypothesis:
        """Greedy, and not worth a second look."""
        return await self._decode(Urgency.PARTIAL)

    async def transcript(self, urgency: Urgency) -> Hypothesis:
        """As well as the model can."""
        return await self._decode(urgency)

    async def close(self) -> None:
        """Lets the audio go."""
        self._audio.clear()
        self._scheduler.leave(self._caller)

    async def _decode(self, urgency: Urgency) -> Hypothesis:
        if not self._audio:
            return Hypothesis("")
        self._audio = [np.concatenate(self._audio)]
        passage = Passage(
            self._audio[0],
            self._options,
            thorough=urgency is not Urgency.PARTIAL,
            second_looks_s=_RECORDING_LOOKS_S if urgency is Urgency.RECORDING else _LIVE_LOOKS_S,
        )
        return await self._scheduler.submit(passage, urgency, self._caller)


def _limit_s(passages: Sequence[Passage]) -> float:
    seconds = sum(passage.samples.size for passage in passages) / ENGINE_RATE_HZ
    looks_s = max(passage.second_looks_s for passage in passages)
    return _HANGS_AFTER_S + _AND_PER_SECOND_OF_AUDIO_S * seconds + looks_s
