"""Makes the segmenter of each stream and recording; the threads and models that all of them share lie here."""

from services.common.threads import EngineThreads
from services.stt.endpointing import Endpointing
from services.stt.engine import MakeDetector
from services.stt.metrics import SttMetrics
from services.stt.segmenter import Segmenter
from services.stt.turn_detector import TurnDetector

# Apart, so that nobody's frames (0.1 ms) wait behind somebody else's verdict (45 ms).
_VOICE_THREADS, _TURN_THREADS = 1, 2


class Segmenters:
    """As many as are needed."""

    def __init__(self, make_detector: MakeDetector, turn_detector: TurnDetector | None, metrics: SttMetrics) -> None:
        self._make_detector = make_detector
        self._turn_detector = turn_detector
        self._on_turn_failure = metrics.detector_failures.inc
        self._threads = EngineThreads(_VOICE_THREADS, "voice-activity")
        self._turn_threads = EngineThreads(_TURN_THREADS, "turn-detector")

    def of_stream(self, endpointing: Endpointing) -> Segmenter:
        """For somebody who is waited for to be done."""
        return Segmenter(
            endpointing,
            self._make_detector(),
            self._threads,
            turn_detector=self._turn_detector,
            turn_threads=self._turn_threads,
            on_turn_failure=self._on_turn_failure,
        )

    def of_recording(self, endpointing: Endpointing) -> Segmenter:
        """For a recording: nobody waits, so silence alone tells its stretches apart."""
        return Segmenter(endpointing, self._make_detector(), self._threads)

    @property
    def judge_turns(self) -> bool:
        """Whether something listens to how the last words were said."""
        return self._turn_detector is not None

    @property
    def stuck(self) -> str | None:
        """Why a thread must be taken for lost, if one must."""
        return self._threads.stuck or self._turn_threads.stuck

    def close(self) -> None:
        """Ends the threads."""
        self._threads.shutdown(wait=False)
        self._turn_threads.shutdown(wait=False)
