"""Ears that know loud from silent."""

import numpy as np

from services.common.audio import decode_pcm

_SILENCE_MS = 200
_LOUD = 100


class CrudeEars:
    """An utterance is over when it was loud and then silent for a while."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._was_loud = False
        self._silent_samples = 0

    def heard(self, audio: bytes) -> bool:
        """Whether somebody spoke and is done."""
        samples = decode_pcm(audio, "audio")
        if samples.size and np.abs(samples).max() > _LOUD:
            self._was_loud, self._silent_samples = True, 0
            return False
        self._silent_samples += samples.size
        if self._was_loud and self._silent_samples * 1000 >= _SILENCE_MS * self._rate_hz:
            self._was_loud = False
            return True
        return False
