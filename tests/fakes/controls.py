"""What a person does at a view, taken down instead of carried out."""

from dataclasses import dataclass, field

from client.audio.levels import Levels


@dataclass
class NotedControls:
    """Each thing done is a word in `done`. `failure` is raised by the next thing that is awaited."""

    levels: Levels = field(default_factory=Levels)
    is_muted: bool = False
    done: list[str] = field(default_factory=list)
    failure: Exception | None = None

    async def type(self, text: str) -> None:
        """Takes a turn in writing."""
        self._note(f"type {text}")

    async def interrupt(self) -> None:
        """Stops the reply."""
        self._note("interrupt")

    async def mute(self, *, muted: bool) -> None:
        """Stops listening, or listens again."""
        self._note("mute" if muted else "unmute")
        self.is_muted = muted

    async def press(self) -> None:
        """The key for talking."""
        self._note("press")

    def _note(self, what: str) -> None:
        if self.failure is not None:
            raise self.failure
        self.done.append(what)
