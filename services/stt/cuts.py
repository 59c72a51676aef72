"""Where to cut speech that is longer than a decoder's window: at a pause, or at the quietest place there is. Pure."""

import numpy as np

from services.common.audio import Samples
from services.stt.engine import ENGINE_RATE_HZ

# Whisper hears 30 s at once; the rest is room for what comes before the cut is found.
PIECE_SAMPLES = 28 * ENGINE_RATE_HZ
_EARLIEST_SAMPLES = 14 * ENGINE_RATE_HZ  # pieces much shorter than the window would lose context for nothing
_PAUSE_SAMPLES = ENGINE_RATE_HZ // 5  # a pause between words: 200 ms
_STEP_SAMPLES = ENGINE_RATE_HZ // 50


def cut_of(samples: Samples) -> int:
    """The sample at which to cut more audio than fits into a piece: the middle of its quietest fifth of a second.

    Of equally quiet places the last: the longer the piece, the better it is understood.
    """
    power = samples[_EARLIEST_SAMPLES:PIECE_SAMPLES].astype(np.float64) ** 2
    sums = np.concatenate([[0.0], np.cumsum(power)])
    starts = np.arange(0, power.size - _PAUSE_SAMPLES + 1, _STEP_SAMPLES)
    loudness = sums[starts + _PAUSE_SAMPLES] - sums[starts]
    last_quietest = starts.size - 1 - int(np.argmin(loudness[::-1]))
    return _EARLIEST_SAMPLES + int(starts[last_quietest]) + _PAUSE_SAMPLES // 2
