"""What tells whether a speaker who has fallen silent is done, or thinking. No model library here."""

import logging
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Protocol

from services.common.audio import Samples
from services.common.threads import run_blocking
from services.stt.endpointing import Verdict
from services.stt.engine import ENGINE_RATE_HZ

TURN_SAMPLES = 8 * ENGINE_RATE_HZ  # what it looks back on
_FINISHED_FROM = 0.5

_log = logging.getLogger(__name__)


class TurnDetector(Protocol):
    """Judges turns, of several streams at a time."""

    def finished(self, samples: Samples) -> float:
        """The probability that the speaker is done: speech at ENGINE_RATE_HZ, and the silence after it.

        What is longer than TURN_SAMPLES is judged by its end. Called in a thread.
        """


class TurnJudge:
    """Asks the detector for one stream. Where it fails the pause stays unjudged: no stream ends because of it."""

    def __init__(self, detector: TurnDetector, threads: Executor, on_failure: Callable[[], None]) -> None:
        self._detector = detector
        self._threads = threads
        self._on_failure = on_failure
        self._has_failed = False

    async def verdict(self, samples: Samples) -> Verdict:
        """What the detector says of the pause at the end of the samples."""
        try:
            probability = await run_blocking(self._threads, lambda _stop: self._detector.finished(samples))
        except Exception as error:  # noqa: BLE001  # whatever it is, silence alone ends turns as well
            if not self._has_failed:  # once a stream: it would be once a pause
                _log.warning("the turn detector fails, silence alone ends turns: %s", error)
            self._has_failed = True
            self._on_failure()
            return Verdict.UNJUDGED
        return Verdict.FINISHED if probability >= _FINISHED_FROM else Verdict.UNFINISHED
