"""Which turns began and how they ended, as far as the client was told."""

import asyncio
from collections.abc import Callable

from client.events import (
    ConnectionLost,
    Event,
    Outcome,
    SessionOpened,
    State,
    StateChanged,
    Transcript,
    TurnFinished,
)


class Turns:
    """Watches the events of a conversation; others wait for what they show."""

    def __init__(self) -> None:
        self.outcomes: dict[str, Outcome] = {}  # of the turns that are over, in order
        self.gaps = 0  # lost connections after which nothing went on: what was given last may not have arrived
        self._running: set[str] = set()
        self.is_resuming = False  # since the connection was lost, nobody told yet what the assistant does
        self._changed = asyncio.Event()

    @property
    def is_idle(self) -> bool:
        """Whether no turn is going on."""
        return not self._running

    def observe(self, event: Event) -> None:
        """Takes note of an event."""
        match event.what:
            case ConnectionLost() | SessionOpened(resumed=True):
                self.is_resuming = True
            case StateChanged(state) if self.is_resuming:
                self._resume("" if state is State.LISTENING else event.turn_id)
            case TurnFinished(outcome):
                self._running.discard(event.turn_id)
                self.outcomes[event.turn_id] = outcome
            case StateChanged(State.THINKING) | Transcript(is_final=True) if event.turn_id not in self.outcomes:
                self._running.add(event.turn_id)
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def _resume(self, turn_id: str) -> None:
        """This turn goes on, which may have begun unseen, or none. Whatever else went on before ended unseen."""
        self.is_resuming = False
        self.outcomes.update(dict.fromkeys(self._running - {turn_id}, Outcome.LOST))
        self._running = {turn_id} if turn_id else set()
        self.gaps += not turn_id

    async def next_event(self) -> None:
        """Waits until something more is told, whatever it is."""
        await self._changed.wait()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Waits until the condition holds."""
        while not condition():
            await self._changed.wait()
