"""Which turns began and how they ended, as far as the client was told."""

import asyncio
from collections.abc import Callable

from client.events import Event, Outcome, SessionOpened, State, StateChanged, Transcript, TurnFinished


class Turns:
    """Watches the events of a conversation; others wait for what they show."""

    def __init__(self) -> None:
        self.outcomes: dict[str, Outcome] = {}  # of the turns that are over, in order
        self.gaps = 0  # lost connections after which nothing went on: what was given last may not have arrived
        self._running: set[str] = set()
        self.is_resuming = False  # the session goes on; with what is not told yet
        self._changed = asyncio.Event()

    @property
    def is_idle(self) -> bool:
        """Whether no turn is going on."""
        return not self._running

    def observe(self, event: Event) -> None:
        """Takes note of an event."""
        match event.what:
            case SessionOpened(resumed=True):
                self.is_resuming = True
            case StateChanged(State.LISTENING) if self.is_resuming:
                self._resumed_to_nothing()
            case TurnFinished(outcome):
                self._running.discard(event.turn_id)
                self.outcomes[event.turn_id] = outcome
            case StateChanged(State.THINKING) | Transcript(is_final=True) if event.turn_id not in self.outcomes:
                self._running.add(event.turn_id)
        if isinstance(event.what, StateChanged):
            self.is_resuming = False
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def _resumed_to_nothing(self) -> None:
        """Whatever went on before ended unseen."""
        self.outcomes.update(dict.fromkeys(self._running, Outcome.LOST))
        self._running.clear()
        self.gaps += 1

    async def next_event(self) -> None:
        """Waits until something more is told, whatever it is."""
        await self._changed.wait()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Waits until the condition holds."""
        while not condition():
            await self._changed.wait()
