"""When the microphone's samples came: turns positions in the stream's audio into moments of this process's clock."""

from collections import deque

from services.common.audio import BYTES_PER_SAMPLE

_KEPT = 4096  # messages: more than a minute at 20 ms each


class AudioClock:
    """Notes when each message of audio arrived."""

    def __init__(self, sample_rate_hz: int) -> None:
        self._rate_hz = sample_rate_hz
        self._samples = 0
        self._arrivals: deque[tuple[float, float]] = deque(maxlen=_KEPT)  # end position in ms, moment

    def arrived(self, audio: bytes, moment: float) -> None:
        """A message came at this moment."""
        self._samples += len(audio) // BYTES_PER_SAMPLE
        self._arrivals.append((self._samples * 1000 / self._rate_hz, moment))

    def moment_of(self, position_ms: float) -> float:
        """When the sample at this position came; the nearest moment known, where that one is not."""
        newest = 0.0
        for end_ms, moment in self._arrivals:
            if end_ms >= position_ms:
                return moment
            newest = moment
        return newest
