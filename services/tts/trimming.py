"""Speech without the silence that engines put before it, and the time of each of its words."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.common.audio import Samples
from services.tts.alignment import all_starts, voiced_part
from services.tts.engine import Speech, Word

# Kept of the silence: what is softest at the beginning of a word lies below the threshold of loudness.
_KEPT_S = 0.01


@dataclass(frozen=True)
class TrimmedSpeech:
    """Speech that begins at once."""

    samples: Samples
    sample_rate_hz: int
    word_starts: tuple[int, ...]  # of every word; the first is 0
    silence_ms: float  # at its end

    @property
    def duration_s(self) -> float:
        """Its length."""
        return self.samples.size / self.sample_rate_hz


def trimmed(speech: Speech, words: Sequence[Word]) -> TrimmedSpeech:
    """The words' speech, where the engine cannot tell with times shared out by the words' lengths."""
    samples, rate_hz = speech.recording.samples, speech.recording.sample_rate_hz
    begins, ends = voiced_part(samples)
    starts = speech.word_starts
    if len(starts) != len(words):
        starts = all_starts(words, {0: begins}, ends)
    cut = max(0, begins - round(_KEPT_S * rate_hz))
    moved = tuple(min(max(0, start - cut), max(0, samples.size - cut - 1)) for start in starts)
    return TrimmedSpeech(samples[cut:], rate_hz, (0, *moved[1:]), (samples.size - ends) * 1000 / rate_hz)
