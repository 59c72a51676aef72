"""Which characters of the input sound when."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from services.tts.phrases import Phrase


@dataclass(frozen=True)
class Span:
    """Characters of the input, from `start` up to but not including `end`."""

    start: int
    end: int


@dataclass(frozen=True)
class Timeline:
    """When each word of a phrase sounds, and which characters it stands for.

    These go on to the next word's, so that spaces and marks belong to somebody, and all together are the phrase's.
    """

    starts: tuple[int, ...]  # first sample of each word
    spans: tuple[Span, ...]

    @classmethod
    def of(cls, phrase: Phrase, starts: Sequence[int], scale: float) -> "Timeline":
        """That of a phrase whose words start at these samples times `scale`."""
        return cls(tuple(round(start * scale) for start in starts), tuple(_spans(phrase)))

    def span(self, first_sample: int, end_sample: int) -> Span:
        """From the first to the last word that sounds between these samples."""
        first = bisect_left(self.starts, first_sample)
        if first == len(self.starts) or self.starts[first] > first_sample:
            first -= 1  # it began earlier, and goes on
        last = max(first, bisect_left(self.starts, end_sample) - 1)
        return Span(self.spans[first].start, self.spans[last].end)

    @property
    def last(self) -> Span:
        """That of the last word."""
        return self.spans[-1]


def _spans(phrase: Phrase) -> list[Span]:
    words = phrase.words
    starts = [phrase.start, *(word.start for word in words[1:])]
    ends = [max(word.end, following.start) for word, following in pairwise(words)]
    return [Span(start, end) for start, end in zip(starts, [*ends, phrase.end], strict=True)]
