"""The last resort: a soft tone for each phrase, so that a listener knows that something was to be said."""

from collections.abc import Sequence

from services.common.audio import Recording
from services.common.tone import soft_tone
from services.tts.engine import Speech, Voice, VoiceChoice, Word

_RATE_HZ = 22_050
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
        """A tone instead of the words."""
        return Speech(Recording(soft_tone(_RATE_HZ, choice.volume), _RATE_HZ), _NAME)

    async def close(self) -> None:
        """Holds nothing."""
