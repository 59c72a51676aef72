"""Audio in the little portions that go out."""

from collections.abc import Iterator

import numpy as np

from services.common.audio import Resampler, Samples

_CHUNK_S, _LONGEST_S = 0.03, 0.04
_STEP_S = 0.1  # resampled at a time: a long phrase is not held up by its end


def cut(samples: Samples, from_hz: int, to_hz: int) -> Iterator[Samples]:
    """Chunks of 20 to 40 ms at the rate `to_hz`; only audio that is shorter than that gives a shorter one."""
    resampler = Resampler(from_hz, to_hz)
    step, chunk = round(_STEP_S * from_hz), round(_CHUNK_S * to_hz)
    longest = int(_LONGEST_S * to_hz)
    waiting = np.zeros(0, np.int16)
    for start in range(0, samples.size, step):
        is_last = start + step >= samples.size
        waiting = np.concatenate([waiting, resampler.push(samples[start : start + step], last=is_last)])
        while waiting.size >= chunk + longest:
            yield waiting[:chunk]
            waiting = waiting[chunk:]
    while waiting.size:
        size = waiting.size if waiting.size <= longest else min(chunk, (waiting.size + 1) // 2)
        yield waiting[:size]
        waiting = waiting[size:]


def silence(duration_ms: float, rate_hz: int) -> Iterator[Samples]:
    """Chunks in which nothing is heard."""
    return cut(np.zeros(round(duration_ms * rate_hz / 1000), np.int16), rate_hz, rate_hz)
