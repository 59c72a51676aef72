"""When the assistant may hear the microphone: always, while a key says so, or after a wake word."""

from typing import Protocol

from client.events import Event
from services.common.audio import Samples


class Gate(Protocol):
    """Decides for each message of the microphone, before anything leaves the machine."""

    @property
    def reason(self) -> str:
        """Why it is as it is: one of the reasons of `HearingChanged`."""

    def is_open(self, heard: Samples) -> bool:
        """Whether the assistant may hear this: 20 ms at 16 kHz, in order, the echo already gone."""

    def observe(self, event: Event) -> None:
        """The assistant told something."""

    def press(self) -> None:
        """The person pressed the key for talking."""


class AlwaysOpen:
    """The assistant hears everything."""

    reason = "continuous"

    def is_open(self, heard: Samples) -> bool:
        """Always."""
        return True

    def observe(self, event: Event) -> None:
        """Changes nothing."""

    def press(self) -> None:
        """Nothing to open."""
