"""Looks at audio as it comes in: counts what is wrong with it and takes out what no ear hears. Pure.

The level is told and left as it is: a gain lets the voice detector hear a microphone that is set 20 dB too low, but
then also the people at other tables, and it finds the starts later.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.common.audio import Recording, Samples

_FULL_SCALE = 2**15
_FULL_SCALE_RUN = 3  # so many samples in a row at full scale are clipped; one or two may be a true peak
_CORNER_HZ = 20.0  # below every voice
_BLOCK_SAMPLES = 1024  # short enough that the powers of the filter's pole stay well inside of a float
_SLAB_SAMPLES = 16_384  # of whole recordings, so that an hour is never there in floats
_SILENCE_DBFS = -120.0  # what is said of digital silence, whose level has no logarithm


@dataclass(frozen=True)
class AudioQuality:
    """What a stream or a recording was like."""

    clipped_samples: int
    dc_offset: float  # -1 to 1, of full scale
    peak_dbfs: float
    rms_dbfs: float


class AudioCheck:
    """One stream, at its own rate: before it is resampled, for that would hide what was clipped."""

    def __init__(self, sample_rate_hz: int) -> None:
        self._samples = 0
        self._sum = 0
        self._squares = 0.0
        self._peak = 0
        self._clipping = _Clipping()
        self._blocker = _DcBlocker(sample_rate_hz)

    def push(self, samples: Samples) -> Samples:
        """The same audio without its DC offset."""
        if not samples.size:
            return samples
        wide = samples.astype(np.float64)
        self._samples += samples.size
        self._sum += int(samples.sum(dtype=np.int64))
        self._squares += float(np.square(wide).sum())  # not a dot product: for that BLAS wakes all cores
        # Not np.abs: the lowest sample has no positive counterpart.
        self._peak = max(self._peak, int(samples.max()), -int(samples.min()))
        self._clipping.push(samples)
        return self._blocker.push(wide)

    @property
    def quality(self) -> AudioQuality:
        """What it was like so far."""
        count = max(self._samples, 1)
        mean = self._sum / count
        power = max(self._squares / count - mean**2, 0.0)
        return AudioQuality(
            self._clipping.count, mean / _FULL_SCALE, _dbfs(self._peak / _FULL_SCALE), _dbfs(power**0.5 / _FULL_SCALE)
        )


def checked(recording: Recording) -> tuple[Recording, AudioQuality]:
    """A whole recording without its DC offset, and what it was like. It blocks: two seconds for an hour."""
    check = AudioCheck(recording.sample_rate_hz)
    out = np.empty_like(recording.samples)
    for start in range(0, out.size, _SLAB_SAMPLES):
        out[start : start + _SLAB_SAMPLES] = check.push(recording.samples[start : start + _SLAB_SAMPLES])
    return Recording(out, recording.sample_rate_hz), check.quality


def _dbfs(level: float) -> float:
    return max(20 * float(np.log10(level)), _SILENCE_DBFS) if level > 0 else _SILENCE_DBFS


class _Clipping:
    """Counts samples in runs at full scale, also where a run goes on in the next piece."""

    def __init__(self) -> None:
        self.count = 0
        self._run = 0  # at the end of what was seen
        self._sign = 0

    def push(self, samples: Samples) -> None:
        signs = (samples == _FULL_SCALE - 1).astype(np.int8) - (samples == -_FULL_SCALE)
        if not signs.any():
            self._run = 0
            return
        begins = np.concatenate([[0], np.flatnonzero(np.diff(signs)) + 1])
        lengths = np.diff(np.concatenate([begins, [signs.size]]))
        for sign, length in zip(signs[begins].tolist(), lengths.tolist(), strict=True):
            self._goes_on(sign, length)

    def _goes_on(self, sign: int, length: int) -> None:
        before = self._run if sign == self._sign else 0
        self._sign, self._run = sign, (before + length if sign else 0)
        if self._run >= _FULL_SCALE_RUN:
            self.count += length if before >= _FULL_SCALE_RUN else self._run


class _DcBlocker:
    """A high pass of one pole. It begins as if the first piece's mean had always been there, so it does not thump."""

    def __init__(self, sample_rate_hz: int) -> None:
        pole = 1.0 - 2 * np.pi * _CORNER_HZ / sample_rate_hz
        self._powers: NDArray[np.float64] = np.power(pole, np.arange(_BLOCK_SAMPLES + 1, dtype=np.float64))
        self._last_in: float | None = None
        self._last_out = 0.0

    def push(self, wide: NDArray[np.float64]) -> Samples:
        if self._last_in is None:
            self._last_in = float(wide.mean())
        steps = np.diff(wide, prepend=self._last_in)
        self._last_in = float(wide[-1])
        blocked = np.concatenate(
            [self._block(steps[start : start + _BLOCK_SAMPLES]) for start in range(0, steps.size, _BLOCK_SAMPLES)]
        )
        rounded: Samples = np.clip(np.rint(blocked), -_FULL_SCALE, _FULL_SCALE - 1).astype(np.int16)
        return rounded

    def _block(self, steps: NDArray[np.float64]) -> NDArray[np.float64]:
        """out[n] = pole · out[n - 1] + step[n], for all n at once."""
        powers = self._powers[: steps.size]
        out: NDArray[np.float64] = powers * (np.cumsum(steps / powers) + self._powers[1] * self._last_out)
        self._last_out = float(out[-1])
        return out
