"""When each word of a stretch of speech begins."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from services.common.audio import Samples
from services.tts.engine import Word

_LOUD = 0.01  # of the loudest sample: speech begins and ends there


def voiced_part(samples: Samples | NDArray[np.float32]) -> tuple[int, int]:
    """The first sample of the speech and the one behind its last, the silence around it left out."""
    level = np.abs(samples.astype(np.float32))
    loud = np.flatnonzero(level > _LOUD * level.max(initial=0))
    return (int(loud[0]), int(loud[-1]) + 1) if loud.size else (0, samples.size)


def all_starts(words: Sequence[Word], known: Mapping[int, float], end: int) -> tuple[int, ...]:
    """The first sample of each word, from those that are known and the end of the speech.

    Words that were said in one breath, as `of the` is, share its time by their lengths.
    """
    if not words:
        return ()
    edges = np.cumsum([0, *(len(word.text) for word in words)])
    marks = sorted(known)
    starts = np.interp(edges[:-1], [*edges[marks].tolist(), edges[-1]], [*(known[index] for index in marks), end])
    return tuple(np.maximum.accumulate(np.clip(starts, 0, end)).astype(int).tolist())
