"""The ears open with a key and close with it."""

from client.events import Event
from client.hearing import ClosingSilence, Gate
from services.common.audio import Samples


class PushToTalk(Gate):
    """Closed until the key is pressed, then open until it is pressed again: a terminal tells of no key let go."""

    reason = "key"

    def __init__(self) -> None:
        self._is_open = False
        self._closing = ClosingSilence()

    @property
    def is_hearing(self) -> bool:
        """Whether the assistant hears the microphone at the moment."""
        return self._is_open

    def is_open(self, heard: Samples) -> bool:
        """As the key was pressed last."""
        return self._is_open

    def admit(self, heard: Samples) -> Samples:
        """What is heard while it is open, and silence for a moment afterwards: what was said is answered at once."""
        return heard if self.is_open(heard) else self._closing.instead_of(heard)

    def observe(self, event: Event) -> None:
        """Only the key counts."""

    def press(self) -> None:
        """Opens it, or closes it."""
        self._is_open = not self._is_open
        if not self._is_open:
            self._closing.begin()
