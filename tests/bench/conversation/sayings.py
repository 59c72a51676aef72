"""What is said to the assistant: sentences of the script, each another one, or recordings of people."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, count, cycle
from pathlib import Path
from typing import Protocol

import numpy as np

from services.common.audio import Samples, read_wav, resample
from tests.fakes.scripted_services import script
from tests.support.conversing import RATE_HZ

_HESITATES_EVERY = 4
_HESITATION_MS = 200  # long enough for a pause, too short for an end
_QUIET = 0.02  # of the loudest sample: before and after the speech


@dataclass(frozen=True)
class Saying:
    """Speech, without silence before and after it. `number`: which sentence of the script it is, if it is one."""

    samples: Samples
    name: str
    number: int = 0


class Sayings(Protocol):
    """Where they come from."""

    def question(self) -> Saying:
        """Something to reply to."""

    def interruption(self) -> Saying:
        """Something that ends a reply."""

    def false_alarm(self) -> Saying:
        """Something that does not."""


class ScriptedSayings:
    """Sentences of the script. Every fourth question has a hesitation in its middle."""

    def __init__(self) -> None:
        self._count = count(1)
        self._questions = iter(script.QUESTIONS)
        self._interruptions = iter(script.INTERRUPTIONS)
        self._false_alarms = cycle(chain([script.NOISE], script.BACKCHANNELS))

    def question(self) -> Saying:
        """The next one."""
        hesitates = next(self._count) % _HESITATES_EVERY == 0
        return _scripted(next(self._questions), _HESITATION_MS if hesitates else 0)

    def interruption(self) -> Saying:
        """The next one."""
        return _scripted(next(self._interruptions))

    def false_alarm(self) -> Saying:
        """A noise, or what listeners say."""
        return _scripted(next(self._false_alarms))


class RecordedSayings:
    """WAV files, over and over."""

    def __init__(self, speech: Sequence[Path], false_alarms: Sequence[Path]) -> None:
        self._speech = cycle([_recorded(file) for file in speech])
        self._false_alarms = cycle([_recorded(file) for file in false_alarms])

    def question(self) -> Saying:
        """The next recording."""
        return next(self._speech)

    def interruption(self) -> Saying:
        """The next recording."""
        return next(self._speech)

    def false_alarm(self) -> Saying:
        """The next of those."""
        return next(self._false_alarms)


def _scripted(number: int, hesitation_ms: int = 0) -> Saying:
    return Saying(script.speech(number, hesitation_ms), script.sentence(number) or "(noise)", number)


def _recorded(file: Path) -> Saying:
    samples = resample(read_wav(file.read_bytes(), str(file)), RATE_HZ).samples
    loudness = np.abs(samples.astype(np.int32))
    loud = np.flatnonzero(loudness > _QUIET * loudness.max())
    return Saying(samples[loud[0] : loud[-1] + 1], file.name)
