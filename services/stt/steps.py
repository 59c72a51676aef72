"""A batch of steps that came while nobody looked, as the same steps with less work. Pure."""

import numpy as np

from services.stt.endpointing import Paused, Resumed
from services.stt.segmenter import Speech, Step


def coalesced(steps: list[Step]) -> list[Step]:
    """Stretches of audio joined, pauses that are over already left out."""
    joined: list[Step] = []
    for step in _without_past_pauses(steps):
        last = joined[-1] if joined else None
        if isinstance(step, Speech) and isinstance(last, Speech):
            joined[-1] = Speech(np.concatenate([last.samples, step.samples]), last.begin_ms)
        else:
            joined.append(step)
    return joined


def _without_past_pauses(steps: list[Step]) -> list[Step]:
    kept: list[Step] = []
    for step in steps:
        paused = next((index for index in reversed(range(len(kept))) if isinstance(kept[index], Paused)), None)
        if isinstance(step, Resumed) and paused is not None:
            del kept[paused]
        else:
            kept.append(step)
    return kept
