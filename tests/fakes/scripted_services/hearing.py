"""Finds utterances in audio by whether there is any sound: the scripted ears without a wire, without a clock."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

import numpy as np

from services.common.audio import Samples
from tests.fakes.scripted_services.script import MS_PER_WORD, EarsSpeed, sentence

_FRAME_MS = 4


class Kind(Enum):
    """What happens in the audio."""

    STARTED = "started"
    PARTIAL = "partial"  # one is due
    PAUSED = "paused"
    RESUMED = "resumed"
    ENDED = "ended"
    FLUSHED = "flushed"


@dataclass(frozen=True)
class Step:
    """It happens to an utterance after `at_ms` of the audio; its speech began at `start_ms` and goes to `end_ms`."""

    kind: Kind
    utterance: int
    number: int
    at_ms: int
    start_ms: int
    end_ms: int
    words: tuple[str, ...]  # that were said


@dataclass
class _Utterance:
    start_ms: int
    number: int
    id: int = 0  # from when it has lasted long enough
    end_ms: int = 0
    spoken_ms: int = 0
    is_paused: bool = False
    next_partial_ms: int = 0


@dataclass
class Hearing:
    """One stream of audio."""

    speed: EarsSpeed
    rate_hz: int
    _count: int = 0
    _at_ms: int = 0
    _utterance: _Utterance | None = None
    _rest: Samples = field(default_factory=lambda: np.zeros(0, np.int16))

    def push(self, samples: Samples) -> Iterator[Step]:
        """What happens in these samples."""
        size = self.rate_hz * _FRAME_MS // 1000
        waiting = np.concatenate([self._rest, samples])
        whole = waiting.size // size * size
        self._rest = waiting[whole:]
        for frame in waiting[:whole].reshape(-1, size):
            self._at_ms += _FRAME_MS
            yield from self._take(frame)

    def flush(self) -> Iterator[Step]:
        """The utterance ends here."""
        if self._utterance is not None and self._utterance.id:
            yield self._step(Kind.FLUSHED, self._utterance)
        self._utterance = None

    def _take(self, frame: Samples) -> Iterator[Step]:
        if frame.any():
            if self._utterance is None:
                self._utterance = _Utterance(self._at_ms - _FRAME_MS, int(frame[np.flatnonzero(frame)[0]]))
            yield from self._speech(self._utterance)
        elif self._utterance is not None:
            yield from self._silence(self._utterance)

    def _speech(self, spoken: _Utterance) -> Iterator[Step]:
        spoken.end_ms = self._at_ms
        spoken.spoken_ms += _FRAME_MS
        if not spoken.id and spoken.spoken_ms >= self.speed.start_after_ms:
            self._count += 1
            spoken.id = self._count
            spoken.next_partial_ms = self.speed.first_partial_ms
            yield self._step(Kind.STARTED, spoken)
        if spoken.is_paused:
            spoken.is_paused = False
            yield self._step(Kind.RESUMED, spoken)
        if spoken.id and self._at_ms - spoken.start_ms >= spoken.next_partial_ms:
            is_first = spoken.next_partial_ms == self.speed.first_partial_ms
            spoken.next_partial_ms += self.speed.confirm_partial_ms if is_first else self.speed.partial_every_ms
            yield self._step(Kind.PARTIAL, spoken)

    def _silence(self, spoken: _Utterance) -> Iterator[Step]:
        silence_ms = self._at_ms - spoken.end_ms
        if not spoken.id:
            self._utterance = None  # a click
        elif silence_ms >= self.speed.endpoint_ms:
            self._utterance = None
            yield self._step(Kind.ENDED, spoken)
        elif silence_ms >= self.speed.soft_pause_ms and not spoken.is_paused:
            spoken.is_paused = True
            yield self._step(Kind.PAUSED, spoken)

    def _step(self, kind: Kind, spoken: _Utterance) -> Step:
        words = sentence(spoken.number).split()[: spoken.spoken_ms // MS_PER_WORD]
        return Step(kind, spoken.id, spoken.number, self._at_ms, spoken.start_ms, spoken.end_ms, tuple(words))
