"""The ears open with a word and close when nobody has anything more to say."""

from collections import deque
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from client.audio.tap import RATE_HZ
from client.events import ConnectionLost, Event, State, StateChanged, Transcript
from client.hearing import ClosingSilence, Gate
from services.common.audio import Samples

# A word is recognised 150 ms after its end (median of four words in twelve voices), hardly ever later than 320 ms.
# Where no pause tells the word from what follows it, rather too much of it is sent than too little of that.
_LONGEST_DELAY = 16  # messages of 20 ms
_HELD_BACK = 20  # messages, for the pause may have begun before
_PAUSE = 3  # messages: the closed lips of a b or p last less
_QUIET = 0.1  # of the loudest message: 20 dB below it


class Detector(Protocol):
    """Listens for the word, and keeps to itself what else it hears."""

    def hears(self, heard: Samples) -> bool:
        """Whether the word was completed in this: 20 ms at 16 kHz, in order."""


class WakeWord(Gate):
    """Closed until the word is heard; then open until nobody spoke for a while: no turn went on, and none began.

    Messages are its clock. The key opens it as well, and closes it where it is open.
    """

    def __init__(self, detector: Detector, stay_open_s: float) -> None:
        self._reason = "wake_word"
        self._detector = detector
        self._stay_open = int(stay_open_s * RATE_HZ)
        self._left = 0  # samples until it closes
        self._in_turn = False
        self._held_back: deque[Samples] = deque(maxlen=_HELD_BACK)
        self._closing = ClosingSilence()

    @property
    def reason(self) -> str:
        """What opened or closed it last."""
        return self._reason

    @property
    def is_hearing(self) -> bool:
        """Whether the assistant hears the microphone at the moment."""
        return self._left > 0

    def is_open(self, heard: Samples) -> bool:
        """From the word on."""
        if self._detector.hears(heard):
            self._open("wake_word")
        elif self.is_hearing and not self._in_turn:
            self._wait(heard.size)
        return self.is_hearing

    def admit(self, heard: Samples) -> Samples:
        """What follows the word, even what was said before it was recognised; at the end, silence for a moment."""
        was_hearing = self.is_hearing
        self._held_back.append(heard)
        if not self.is_open(heard):
            return self._closing.instead_of(heard)
        since = [heard] if was_hearing else _after_the_word(list(self._held_back))
        self._held_back.clear()
        return np.concatenate(since)

    def observe(self, event: Event) -> None:
        """It stays open while a turn goes on, so that the person can interrupt it, and for a while afterwards."""
        match event.what:
            case StateChanged(state):
                self._in_turn = state in (State.THINKING, State.SPEAKING, State.YIELDING)
            case ConnectionLost():
                self._in_turn = False  # nobody knows whether it still goes on
            case Transcript(typed=False):
                pass  # somebody speaks
            case _:
                return
        if self.is_hearing:
            self._left = self._stay_open

    def press(self) -> None:
        """Opens it without the word, or closes it."""
        if self.is_hearing:
            self._close("key")
        else:
            self._open("key")

    def _open(self, reason: str) -> None:
        self._left = self._stay_open
        self._reason = reason

    def _wait(self, samples: int) -> None:
        self._left -= samples
        if self._left <= 0:
            self._close("too_quiet_for_long")

    def _close(self, reason: str) -> None:
        self._left = 0
        self._reason = reason
        self._closing.begin()


def _after_the_word(heard: Sequence[Samples]) -> Sequence[Samples]:
    """What of it follows the word: all since the pause after it, or all that may where there is none."""
    loudness = [float(np.abs(message.astype(np.int32)).mean()) for message in heard]
    is_quiet = [level <= _QUIET * max(loudness) for level in loudness]
    for start in range(len(heard) - _PAUSE + 1):
        if all(is_quiet[start : start + _PAUSE]):
            return heard[start:]
    return heard[-_LONGEST_DELAY:]
