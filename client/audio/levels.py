"""How loud it is, for those who show it."""

import numpy as np

from services.common.audio import Samples

SILENCE_DBFS = -60.0  # what is below counts as this: no room is as quiet


class Levels:
    """The loudness of the last moments, in decibels below the loudest that samples can be."""

    def __init__(self) -> None:
        self.microphone_dbfs = SILENCE_DBFS
        self.loudspeaker_dbfs = SILENCE_DBFS

    def observe(self, near: Samples, far: Samples) -> None:
        """Takes note of what was heard and played at the same time."""
        self.microphone_dbfs = loudness_dbfs(near)
        self.loudspeaker_dbfs = loudness_dbfs(far)


def loudness_dbfs(samples: Samples) -> float:
    """Of the samples' mean power."""
    if not samples.size:
        return SILENCE_DBFS
    wave = samples.astype(np.float32)
    power = float(wave @ wave) / samples.size / 2**30
    return max(10 * np.log10(power), SILENCE_DBFS) if power else SILENCE_DBFS
