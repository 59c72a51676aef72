"""The last resort: a soft tone for each phrase, so that a listener knows that something was to be said."""

from collections.abc import Sequence

import numpy as np

from services.common.audio import Recording
from services.tts.engine import Speech, Voice, VoiceChoice, Word

_RATE_HZ = 22_050
_PITCH_HZ = 440.0
_LENGTH_S = 0.25
_LOUDNESS = 0.2
_NAME = "tone"


class ToneEngine:
    """Needs no model, no library and no language."""

    def voices(self) -> Sequence[Voice]:
        """One, for every language."""
        return (Voice(_NAME, (), _RATE_HZ),)

    def identity(self, choice: VoiceChoice) -> str:
        """The same, whoever is wanted."""
        return _NAME

    async def synthesize(self, words: Sequence[Word], choice: VoiceChoice, urgent: bool = False) -> Speech:
        """A tone that fades in and out, so that it does not click."""
        time_s = np.arange(int(_RATE_HZ * _LENGTH_S)) / _RATE_HZ
        envelope = np.sin(np.pi * time_s / _LENGTH_S)
        wave = np.sin(2 * np.pi * _PITCH_HZ * time_s) * envelope * min(choice.volume, 2.0) * _LOUDNESS
        return Speech(Recording((wave * np.iinfo(np.int16).max).astype(np.int16), _RATE_HZ), _NAME)

    async def close(self) -> None:
        """Holds nothing."""
