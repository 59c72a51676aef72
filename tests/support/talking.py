"""A session over scripted stages, and a client of it, in this process: what the conversation's own tests share."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from prometheus_client import CollectorRegistry

from services.common.settings import load
from services.orchestrator.config import OrchestratorSection, OrchestratorSettings
from services.orchestrator.events import Event, ReplyAudio, ReplyText, SessionOpened, StateEntered, TurnFinished
from services.orchestrator.history_store import HistoryStore
from services.orchestrator.inputs import ClientInput, Played
from services.orchestrator.metrics import PipelineMetrics
from services.orchestrator.ports import Stages
from services.orchestrator.reply_maker import ConversationOptions
from services.orchestrator.resources import Resources
from services.orchestrator.sessions import Sessions
from services.orchestrator.turn_events import Outcome, State
from tests.fakes.driven_ears import DrivenEars
from tests.fakes.stages import ScriptedMind, ScriptedMouth

RATE_HZ = 16_000
SPOKEN = ConversationOptions(RATE_HZ, RATE_HZ, "en", system_prompt="Be brief.", interim_results=True)
TYPED = ConversationOptions(None, RATE_HZ, "en", system_prompt="Be brief.")
TEXT_ONLY = ConversationOptions(None, None, "en", system_prompt="Be brief.")


def section(**changes: Any) -> OrchestratorSection:
    """The settings, changed; a nested section by its name and a mapping."""
    settings = load(OrchestratorSettings).orchestrator
    changed = {
        name: getattr(settings, name).model_copy(update=value) if isinstance(value, dict) else value
        for name, value in changes.items()
    }
    return settings.model_copy(update=changed)


@dataclass
class Assistant:
    """Sessions over scripted stages."""

    mind: ScriptedMind = field(default_factory=lambda: ScriptedMind([]))
    ears: DrivenEars = field(default_factory=DrivenEars)
    mouth: ScriptedMouth = field(default_factory=ScriptedMouth)
    settings: OrchestratorSection = field(default_factory=section)
    store: HistoryStore | None = None

    def __post_init__(self) -> None:
        self.registry = CollectorRegistry()
        self.draining = asyncio.Event()
        stages = Stages(self.ears, self.mind, self.mouth)
        metrics = PipelineMetrics.create(self.registry)
        self.sessions = Sessions(Resources(stages, self.settings, metrics, self.draining), self.store)

    def metric(self, name: str, **labels: str) -> float | None:
        """The value of one of its metrics."""
        return self.registry.get_sample_value(name, labels)


@dataclass
class Client:
    """One connection: gives inputs, and keeps all that it is told."""

    assistant: Assistant
    options: ConversationOptions = TYPED
    plays: bool = True  # reports at once that it played what it was sent
    token: str = ""
    inputs: "asyncio.Queue[ClientInput | Exception | None]" = field(default_factory=asyncio.Queue)
    told: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.events = self._events()

    def send(self, *items: ClientInput | Exception | None) -> None:
        """Inputs; None ends them."""
        for item in items:
            self.inputs.put_nowait(item)

    async def until(self, kind: type, count: int = 1) -> Event:
        """Reads on until something of this kind is told, or so many."""
        async with asyncio.timeout(10):
            async for event in self.events:
                count -= isinstance(event.telling, kind)
                if not count:
                    return event
        raise AssertionError(f"the conversation ended without {kind.__name__}: {self.kinds()}")

    async def until_state(self, state: State) -> Event:
        """Reads on until it does this."""
        while True:
            event = await self.until(StateEntered)
            if isinstance(event.telling, StateEntered) and event.telling.state is state:
                return event

    async def to_the_end(self) -> list[Event]:
        """Reads all of it."""
        async with asyncio.timeout(10):
            async for _ in self.events:
                pass
        return self.told

    def kinds(self) -> list[str]:
        """What it was told, in short."""
        return [type(event.telling).__name__ for event in self.told]

    def all_of(self, kind: type) -> list[Any]:
        """All of one kind."""
        return [event.telling for event in self.told if isinstance(event.telling, kind)]

    @property
    def states(self) -> list[State]:
        """What the assistant did."""
        return [told.state for told in self.all_of(StateEntered)]

    @property
    def outcomes(self) -> list[Outcome]:
        """How its turns ended."""
        return [told.outcome for told in self.all_of(TurnFinished)]

    @property
    def text(self) -> str:
        """All that was replied."""
        return "".join(told.delta for told in self.all_of(ReplyText))

    @property
    def session(self) -> SessionOpened:
        """What it was told first."""
        opened: SessionOpened = self.all_of(SessionOpened)[0]
        return opened

    async def _inputs(self) -> AsyncIterator[ClientInput]:
        while (item := await self.inputs.get()) is not None:
            if isinstance(item, Exception):
                raise item
            yield item

    async def _events(self) -> AsyncGenerator[Event, None]:
        async with self.assistant.sessions.connected(self.options, self.token) as (conversation, opened):
            events = conversation.events(self._inputs(), opened)
            try:
                async for event in events:
                    self.told.append(event)
                    if self.plays and isinstance(event.telling, ReplyAudio):
                        self.send(Played(event.turn_id, event.telling.first_sample + len(event.telling.audio) // 2))
                    yield event
            finally:
                await events.aclose()


@asynccontextmanager
async def talking(client: Client) -> AsyncIterator[Client]:
    """Leaves, and closes the assistant's sessions, at the end."""
    try:
        yield client
    finally:
        await client.events.aclose()
        await client.assistant.sessions.close()
