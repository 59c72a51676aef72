"""What a person can do in a conversation besides speaking."""

from typing import Protocol

from client.audio.levels import Levels


class Controls(Protocol):
    """Keys and typed lines end up here."""

    @property
    def levels(self) -> Levels:
        """How loud the microphone and the loudspeaker are right now."""

    @property
    def is_muted(self) -> bool:
        """Whether the person wants the microphone not to be heard."""

    async def type(self, text: str) -> None:
        """Takes a turn in writing."""

    async def interrupt(self) -> None:
        """Stops the reply."""

    async def mute(self, *, muted: bool) -> None:
        """Stops listening, or listens again."""

    async def press(self) -> None:
        """The key for talking: opens the ears, or closes them where it opened them."""
