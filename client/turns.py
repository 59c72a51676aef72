"""Which turns began and how they ended, as far as the client was told."""

import asyncio
from collections.abc import Callable

from client.events import Event, Outcome, State, StateChanged, Transcript, TurnFinished


class Turns:
    """Watches the events of a conversation; others wait for what they show."""

    def __init__(self) -> None:
        self.outcomes: dict[str, Outcome] = {}  # of the turns that are over, in order
        self._running: set[str] = set()
        self._changed = asyncio.Event()

    @property
    def is_idle(self) -> bool:
        """Whether no turn is going on."""
        return not self._running

    def observe(self, event: Event) -> None:
        """Takes note of an event."""
        match event.what:
            case TurnFinished(outcome):
                self._running.discard(event.turn_id)
                self.outcomes[event.turn_id] = outcome
            case StateChanged(State.THINKING) | Transcript(is_final=True) if event.turn_id not in self.outcomes:
                self._running.add(event.turn_id)
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def next_event(self) -> None:
        """Waits until something more is told, whatever it is."""
        await self._changed.wait()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Waits until the condition holds."""
        while not condition():
            await self._changed.wait()
