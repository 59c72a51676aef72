"""When the assistant may hear the microphone: always, while a key says so, or after a wake word."""

from typing import Protocol

import numpy as np

from client.audio.tap import RATE_HZ
from client.events import Event
from services.common.audio import Samples

NOTHING: Samples = np.empty(0, np.int16)
# An utterance is over when silence followed it: 1.2 s of it at most, where the sentence sounded unfinished.
_CLOSING_S = 2.0


class Gate(Protocol):
    """Decides for each message of the microphone, before anything leaves the machine.

    Whoever has the microphone calls either `admit` or `is_open` for each message, once: they are a gate's clock too.
    """

    @property
    def reason(self) -> str:
        """Why it is as it is: one of the reasons of `HearingChanged`."""

    @property
    def is_hearing(self) -> bool:
        """Whether the assistant hears the microphone at the moment."""

    def is_open(self, heard: Samples) -> bool:
        """Whether the assistant may hear this: 20 ms at 16 kHz, in order, the echo already gone."""

    def admit(self, heard: Samples) -> Samples:
        """What goes to the assistant: this, with what was held back before it; silence in its place; or nothing."""
        return heard if self.is_open(heard) else NOTHING

    def observe(self, event: Event) -> None:
        """The assistant told something."""

    def press(self) -> None:
        """The person pressed the key for talking."""


class AlwaysOpen(Gate):
    """The assistant hears everything."""

    reason = "continuous"
    is_hearing = True

    def is_open(self, heard: Samples) -> bool:
        """Always."""
        return True

    def observe(self, event: Event) -> None:
        """Changes nothing."""

    def press(self) -> None:
        """Nothing to open."""


class ClosingSilence:
    """What follows where a gate closed: silence for a moment, or the end of what was said last would not be noticed."""

    def __init__(self) -> None:
        self._left = 0

    def begin(self) -> None:
        """The gate closed."""
        self._left = int(_CLOSING_S * RATE_HZ)

    def instead_of(self, heard: Samples) -> Samples:
        """As much silence, as long as it is needed; then nothing."""
        if self._left <= 0:
            return NOTHING
        self._left -= heard.size
        return np.zeros(heard.size, np.int16)
