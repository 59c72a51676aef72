"""Recordings that were transcribed before are not listened to twice, and nothing worse than the best is remembered."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from prometheus_client import CollectorRegistry

from services.common.audio import Recording, read_wav
from services.common.cache import CacheCounts, MemoryCache
from services.common.chain import Candidate, EngineChain
from services.common.metrics import ChainMetrics
from services.stt.endpointing import Endpointing
from services.stt.engine import RecognitionOptions, SttEngine
from services.stt.events import Heard
from services.stt.metrics import SttMetrics
from services.stt.recordings import Progress, RecordingTranscript
from services.stt.segmenter import Segmenter
from services.stt.transcripts import Transcripts
from tests.fakes.recognisers import LoudnessDetector, ScriptedRecogniser
from tests.support.shared_data import REPOSITORY

QUESTION = read_wav((REPOSITORY / "client/assets/question-en.wav").read_bytes(), "question").samples
GAP = np.zeros(16_000, np.int16)
TWICE = Recording(np.concatenate([QUESTION, GAP, QUESTION, GAP]), 16_000)
WORDS = [f"w{number}" for number in range(200)]
Step = Heard | Progress | RecordingTranscript


class Desk:
    """Transcripts of a chain of scripted engines."""

    def __init__(self, *engines: ScriptedRecogniser) -> None:
        registry = CollectorRegistry()
        self.hits = self.misses = 0
        counts = CacheCounts(self._hit, self._miss, lambda: None)
        names = [f"engine-{number}" for number in range(len(engines))]
        candidates = [self._candidate(name, engine) for name, engine in zip(names, engines, strict=True)]
        self.chain = EngineChain(candidates, ChainMetrics.create(registry, "stt"))
        self.transcripts = Transcripts(
            self.chain,
            SttMetrics.create(registry),
            MemoryCache(counts, 10**6, 60),
            dict.fromkeys(names, "as it is"),
            limit_s=10,
        )

    @staticmethod
    def _candidate(name: str, engine: SttEngine) -> Candidate[SttEngine]:
        async def load() -> SttEngine:
            return engine

        return Candidate(name, load)

    def _hit(self) -> None:
        self.hits += 1

    def _miss(self) -> None:
        self.misses += 1

    async def steps(self, options: RecognitionOptions | None = None) -> list[Step]:
        await self.chain.start()
        with ThreadPoolExecutor(1) as threads:

            def segmenter(endpointing: Endpointing) -> Segmenter:
                return Segmenter(endpointing, LoudnessDetector(), threads)

            told = self.transcripts.of(TWICE, options or RecognitionOptions(), Endpointing(), segmenter)
            return [step async for step in told]


def told(steps: list[Step]) -> list[Step]:
    """What matters of them: progress comes at other moments."""
    return [step for step in steps if not isinstance(step, Progress)]


async def test_the_second_time_it_comes_from_the_cache_and_is_the_same() -> None:
    engine = ScriptedRecogniser(WORDS)
    desk = Desk(engine)
    first = await desk.steps()
    sessions = len(engine.sessions)
    second = await desk.steps()
    assert told(second) == told(first)
    assert len(told(first)) == 3  # two stretches, and the whole
    assert len(engine.sessions) == sessions
    assert (desk.hits, desk.misses) == (1, 1)


async def test_other_wishes_are_another_transcript() -> None:
    desk = Desk(ScriptedRecogniser(WORDS))
    await desk.steps()
    await desk.steps(RecognitionOptions(word_timestamps=True))
    assert (desk.hits, desk.misses) == (0, 2)


async def test_what_a_lesser_engine_did_not_understand_is_not_remembered() -> None:
    desk = Desk(ScriptedRecogniser(WORDS, fails_in_session=2), ScriptedRecogniser([]))
    first = await desk.steps()
    assert len(told(first)) == 2  # the stretch that nobody understood is missing
    second = await desk.steps()
    assert len(told(second)) == 3
    assert desk.hits == 0
