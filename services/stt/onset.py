"""Where speech that was just detected began to be heard. Pure.

Detection is late where a word begins with a soft consonant: /s/ and /f/ look like noise to it. But they are louder than
what was before them, above all at high frequencies.
"""

from collections.abc import Sequence

import numpy as np

from services.common.audio import Samples
from services.stt.engine import FRAME_MS

_LONGEST_FRAMES = int(300 / FRAME_MS)  # no consonant is longer
_FLOOR_FRAMES = int(2000 / FRAME_MS)  # what was before
_FLOOR_PERCENTILE = 30
_ABOVE_FLOOR = 3.0  # 10 dB
_BELOW_SPEECH = 0.1  # 20 dB: what is fainter than the speech by more is breath, or a noise that began by chance


def audible_before(frames: Sequence[Samples], speech: Sequence[Samples]) -> int:
    """How many of the last frames before the speech are its beginning."""
    before = [_sharpness(frame) for frame in frames[-_FLOOR_FRAMES:]]
    if not before:
        return 0
    least = max(
        _ABOVE_FLOOR * float(np.percentile(before, _FLOOR_PERCENTILE)),
        _BELOW_SPEECH * max(_sharpness(frame) for frame in speech),
    )
    count = 0
    for sharpness in reversed(before[-_LONGEST_FRAMES:]):
        if sharpness < least:
            break
        count += 1
    return count


def _sharpness(frame: Samples) -> float:
    """The level of the frame, its high frequencies stressed."""
    return float(np.sqrt(np.mean(np.diff(frame.astype(np.float32)) ** 2)))
