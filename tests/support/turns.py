"""What the real ears find in audio: its utterances."""

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from services.common.audio import Samples
from services.stt.endpointing import Ended, Endpointing, Started
from services.stt.onnx_model import OnnxModel
from services.stt.segmenter import FlushUtterance, Segmenter, Speech
from services.stt.turn_detector import TurnDetector
from services.stt.vad import SileroDetector


@dataclass(frozen=True)
class Span:
    """An utterance, in milliseconds: its speech, where its audio began, and when its end was known."""

    start_ms: float
    end_ms: float
    begin_ms: float
    decided_ms: float


async def spans(
    samples: Samples, settings: Endpointing, silero: OnnxModel, turn_detector: TurnDetector | None = None
) -> list[Span]:
    """The utterances in the samples."""
    found: list[Span] = []
    start_ms = begin_ms = 0.0
    fresh = False
    with ThreadPoolExecutor(1) as threads:
        segmenter = Segmenter(settings, SileroDetector(silero), threads, turn_detector=turn_detector)
        async for step in segmenter.steps(_whole(samples)):
            if isinstance(step, Started):
                start_ms, fresh = step.start_ms, True
            elif isinstance(step, Speech) and fresh:
                begin_ms, fresh = step.begin_ms, False
            elif isinstance(step, Ended):
                found.append(Span(start_ms, step.end_ms, begin_ms, step.decided_ms))
    return found


async def _whole(samples: Samples) -> AsyncIterator[Samples | FlushUtterance]:
    yield samples
