"""One session: what is said in it, by whom, and what is remembered of it. It outlives the connections of its client.

The turn machine decides, and what it decides is done here, before anything else happens.
"""

import asyncio
import logging
from collections.abc import Callable

from services.orchestrator.events import Degraded, Event, ReplyAudio, SessionOpened, StateEntered, Telling
from services.orchestrator.hearing import Hearing
from services.orchestrator.history import Exchange, History
from services.orchestrator.history_store import KeptSession
from services.orchestrator.outbox import Outbox
from services.orchestrator.reply_maker import ConversationOptions, ReplyMaker
from services.orchestrator.resources import Resources
from services.orchestrator.turn import TurnMachine
from services.orchestrator.turn_events import (
    Abandoned,
    AudioBegan,
    BeginTurn,
    Draft,
    DropDraft,
    EarsLost,
    Effect,
    EndConversation,
    EnterState,
    FinishTurn,
    HoldReply,
    Input,
    LetReplyGoOn,
    Reconnected,
    State,
)
from services.orchestrator.turns import Turns

_log = logging.getLogger(__name__)


class Session:
    """Lives until it is closed. Its client is connected most of the time."""

    def __init__(
        self,
        resources: Resources,
        options: ConversationOptions,
        session_id: str,
        past: KeptSession | None = None,
    ) -> None:
        self.session_id = session_id
        self.history = History(resources.history_limits(), past.exchanges if past else ())
        self.is_muted = False
        self.over = asyncio.Event()
        self.stepped = asyncio.Event()  # for whoever keeps the time
        self.remembered = asyncio.Event()  # for whoever keeps the history
        self._resources = resources
        self._machine = TurnMachine(resources.turn_rules(), past.turns if past else 0)
        self._maker = ReplyMaker(resources.stages, resources.settings, options, session_id, resources.clock)
        if past is not None and not options.language_code:
            self._maker.language = past.language_code
        self._turns = Turns(self._maker, self.history, resources, self.step, self._fail)
        spoken_between = self._turns.text_between if resources.settings.barge_in.echo_guard else None
        self.hearing = Hearing(spoken_between, resources.clock)
        self._outbox = Outbox()  # nobody reads it until somebody connects
        self._actions: dict[type[Effect], Callable[..., None]] = {
            Draft: lambda effect: self._turns.draft(effect.said),
            DropDraft: lambda _effect: self._turns.drop_draft(),
            BeginTurn: self._begin,
            HoldReply: lambda _effect: self._turns.hold(),
            LetReplyGoOn: lambda _effect: self._turns.let_go_on(),
            FinishTurn: self._finish,
            EnterState: self._enter,
            EndConversation: lambda _effect: self.over.set(),
        }

    @property
    def options(self) -> ConversationOptions:
        """What the client wants."""
        return self._maker.options

    @property
    def turns(self) -> int:
        """How many there were."""
        return self._machine.count

    def to_keep(self) -> KeptSession:
        """What another replica needs to go on: of a reply that is being given, what it answers."""
        exchanges = self.history.exchanges
        if unanswered := self._turns.unanswered:
            exchanges = (*exchanges, Exchange(unanswered, ""))
        return KeptSession(self.session_id, self._maker.language, self.turns, exchanges)

    @property
    def state(self) -> State:
        """What the assistant is doing."""
        return self._machine.state

    @property
    def deadline(self) -> float | None:
        """When the machine is to be told that time passed."""
        return self._machine.deadline

    def connect(self, options: ConversationOptions, opened: SessionOpened) -> Outbox:
        """The client is there; what it is told, from now on. A reply that it lost goes on."""
        self._maker.use(options)
        outbox = self._outbox = Outbox(self._on_its_way)
        outbox.put(Event("", opened))
        self.step(Reconnected())
        self.tell(StateEntered(self.state))
        self._turns.resume(outbox)
        return outbox

    def disconnect(self, outbox: Outbox) -> None:
        """The client is gone from there. What was half heard is forgotten, and nobody speaks."""
        if self._outbox is outbox:
            self.step(EarsLost())
            self._turns.suspend()
            self._outbox = Outbox()

    async def close(self) -> None:
        """Ends all that is still at work; a turn that nobody came back for is over as far as it was heard."""
        self.step(Abandoned())
        self.over.set()
        await self._turns.close()

    def step(self, event: Input) -> None:
        """Something happened."""
        for effect in self._machine.step(event, self._resources.clock()):
            self._actions[type(effect)](effect)
        self.stepped.set()

    def tell(self, telling: Telling) -> None:
        """Tells the client something that belongs to what it does now."""
        self._outbox.put(Event(self._machine.turn_id, telling))

    def played(self, turn_id: str, samples: int) -> None:
        """The client's loudspeaker has come so far."""
        self._turns.played(turn_id, samples)

    def no_more_reports(self) -> None:
        """The client has closed its side of the stream."""
        self._turns.no_more_reports()

    def _enter(self, effect: EnterState) -> None:
        hold = self._resources.settings.barge_in.hold if effect.state is State.YIELDING else None
        self.tell(StateEntered(effect.state, hold))

    def _begin(self, effect: BeginTurn) -> None:
        self._turns.begin(effect, self._outbox)
        self.remembered.set()

    def _finish(self, effect: FinishTurn) -> None:
        self._turns.finish(effect)
        self.remembered.set()

    def _on_its_way(self, event: Event) -> None:
        """Looks at everything that is told."""
        if isinstance(event.telling, ReplyAudio):
            self.step(AudioBegan(event.turn_id))
        elif isinstance(event.telling, Degraded):
            self._resources.metrics.stage_failed(event.telling.stage)

    def _fail(self, error: BaseException) -> None:
        """Something of ours is broken: whoever is connected learns that there was an error."""
        _log.error("a reply of session %s broke", self.session_id, exc_info=error)
        self._outbox.end(error)
