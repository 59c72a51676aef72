"""Finds audio again in a tape of what was played, and what was left out or put in between."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.common.audio import Samples

_BLOCK_S = 0.1
_LEAD_S = 1.0
_REACH_S = 3.0  # how far a block is looked for behind where it should be: a reply waits for its next piece
_ALIKE = 0.9  # correlation of a block with what was played of it
_LOUD = 200  # RMS; what is softer cannot be found for sure
_STEP_S = 0.005
_PAUSE_S = 0.06  # of silence in the audio itself: a shift there is a longer pause, not a hole in a word

Wave = NDArray[np.float64]


@dataclass(frozen=True)
class Found:
    """What became of some audio. Shifts are seconds by which something was late compared to what came before it."""

    blocks: int
    missing: int  # blocks that were not played as they are
    holes_s: tuple[float, ...]  # shifts within continuous sound, and silence in the place of sound
    pauses_s: tuple[float, ...]  # shifts where the audio itself is silent
    ends_at: int  # the sample of the tape

    @property
    def longest_hole_ms(self) -> float:
        """0 where there is none."""
        return round(max((abs(hole) for hole in self.holes_s), default=0.0) * 1000, 1)


def find(audio: Samples, tape: Samples, rate_hz: int, after: int = 0) -> Found:
    """Looks for all of the audio in the tape, from that sample on."""
    wave, taped = audio.astype(np.float64), tape.astype(np.float64)
    # By its first seconds, for replies begin alike; whatever is wrong with them is found block by block.
    lead = place_of(audio[: round(_LEAD_S * rate_hz)], tape[after:])
    position = None if lead is None else after + lead
    missing, blocks, quiet_s = 0, 0, 0.0
    holes: list[float] = []
    pauses: list[float] = []
    for begin, block in _blocks(wave, rate_hz):
        if np.sqrt(np.mean(block**2)) < _LOUD:
            quiet_s += _BLOCK_S
            continue
        blocks += 1
        expected = after if position is None else position + begin
        reach = taped.size if position is None else round(_REACH_S * rate_hz)
        place = _place(block, taped, expected, reach, rate_hz)
        if place is None:
            missing += 1
            holes.append(_silence_s(block, taped[max(expected, 0) :][: block.size], rate_hz))
        else:
            if position is not None and place - begin != position:
                (pauses if quiet_s >= _PAUSE_S else holes).append((place - begin - position) / rate_hz)
            position = place - begin
            holes.append(_silence_s(block, taped[place : place + block.size], rate_hz))
        quiet_s = 0.0
    end = after if position is None else position + wave.size
    return Found(blocks, missing, tuple(hole for hole in holes if hole), tuple(pauses), end)


def _silence_s(block: Wave, tape: Wave, rate_hz: int) -> float:
    """The longest silence on the tape where the block sounds; all of it where the tape is over."""
    step = round(_STEP_S * rate_hz)
    steps = block.size // step
    played = np.zeros(steps * step)
    played[: min(tape.size, played.size)] = tape[: played.size]
    wanted = np.sqrt(np.mean(block[: played.size].reshape(steps, step) ** 2, axis=1))
    there = np.sqrt(np.mean(played.reshape(steps, step) ** 2, axis=1))
    longest = run = 0
    for is_hole in (wanted > _LOUD) & (there < wanted / 10):
        run = run + 1 if is_hole else 0
        longest = max(longest, run)
    return longest * _STEP_S


def _blocks(wave: Wave, rate_hz: int) -> Iterator[tuple[int, Wave]]:
    size = round(_BLOCK_S * rate_hz)
    for begin in range(0, wave.size - size + 1, size):
        yield begin, wave[begin : begin + size]


def _place(block: Wave, tape: Wave, expected: int, reach: int, rate_hz: int) -> int | None:
    """Where it was played: where it should have been, if it is there, or else where it is most alike."""
    slack = round(0.002 * rate_hz)
    early = round(0.1 * rate_hz)
    for first, last in ((expected - slack, expected + slack), (expected - early, expected + reach)):
        low, high = max(first, 0), min(last, tape.size - block.size)
        if high < low:
            continue
        alike = _alike(block, tape[low : high + block.size])
        best = int(np.argmax(alike))
        if alike[best] >= _ALIKE:
            return low + best
    return None


def _alike(block: Wave, tape: Wave) -> Wave:
    """The normalized correlation of the block with every place of the tape."""
    size = 1 << (tape.size + block.size - 1).bit_length()
    spectrum = np.fft.rfft(tape, size) * np.conj(np.fft.rfft(block, size))
    products = np.fft.irfft(spectrum, size)[: tape.size - block.size + 1]
    energy = np.concatenate(([0.0], np.cumsum(tape**2)))
    power = np.maximum(energy[block.size :] - energy[: -block.size], 1.0)
    alike: Wave = products / np.sqrt(power * np.sum(block**2))
    return alike


def place_of(sound: Samples, tape: Samples, least_alike: float = 0.3) -> int | None:
    """Where the sound begins in a tape on which others are heard as well; None where it is not on it."""
    wave, taped = sound.astype(np.float64), tape.astype(np.float64)
    if taped.size < wave.size:
        return None
    alike = _alike(wave, taped)
    best = int(np.argmax(alike))
    return best if alike[best] >= least_alike else None
