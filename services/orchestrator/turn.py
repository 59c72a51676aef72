"""When turns begin and end: a state machine without I/O and without a clock.

    LISTENING ──said or typed──▶ THINKING ──first audio──▶ SPEAKING
        ▲                           │                          │
        └────────── turn ended (done, failed, interrupted) ────┘

One turn at a time. What is said during a turn is not taken up (barge-in will be: issue of the conversation); what is
typed waits its turn. Every turn that begins ends exactly once.
"""

from collections import deque
from dataclasses import dataclass
from enum import Enum

from services.common.errors import LimitExceededError

_MAX_WAITING = 10


class State(Enum):
    """What the assistant is doing."""

    LISTENING = "listening"
    THINKING = "thinking"
    SPEAKING = "speaking"


@dataclass(frozen=True)
class Said:
    """The user said something, or typed it."""

    text: str
    typed: bool
    language_code: str = ""
    said_at: float = 0.0  # the moment of its last word; carried along, not looked at


@dataclass(frozen=True)
class AudioBegan:
    """The first audio of a turn's reply is on its way."""

    turn_id: str


@dataclass(frozen=True)
class TurnEnded:
    """A turn is over, however it went."""

    turn_id: str


@dataclass(frozen=True)
class InterruptAsked:
    """The user wants the reply to stop."""


@dataclass(frozen=True)
class EndAsked:
    """No more input comes."""


Input = Said | AudioBegan | TurnEnded | InterruptAsked | EndAsked


@dataclass(frozen=True)
class BeginTurn:
    """Start to reply."""

    turn_id: str
    said: Said


@dataclass(frozen=True)
class CancelTurn:
    """Stop replying; TurnEnded must follow."""

    turn_id: str


@dataclass(frozen=True)
class EnterState:
    """Tell the client."""

    state: State


@dataclass(frozen=True)
class EndConversation:
    """Nothing is left to do."""


Effect = BeginTurn | CancelTurn | EnterState | EndConversation


class TurnMachine:
    """The state of one conversation."""

    def __init__(self) -> None:
        self.state = State.LISTENING
        self.turn_id = ""
        self._count = 0
        self._waiting: deque[Said] = deque()
        self._ending = False

    def step(self, event: Input) -> list[Effect]:
        """What is to be done about an event. One that comes too late, for an earlier turn, changes nothing."""
        match event:
            case Said():
                return self._said(event)
            case AudioBegan(turn_id) if turn_id == self.turn_id and self.state is State.THINKING:
                return [self._enter(State.SPEAKING)]
            case TurnEnded(turn_id) if turn_id == self.turn_id and self.state is not State.LISTENING:
                return self._turn_ended()
            case InterruptAsked() if self.state is not State.LISTENING:
                return [CancelTurn(self.turn_id)]
            case EndAsked():
                self._ending = True
                return [EndConversation()] if self.state is State.LISTENING else []
        return []

    def _said(self, said: Said) -> list[Effect]:
        if not said.text.strip() or self._ending:
            return []
        if self.state is State.LISTENING:
            return self._begin(said)
        if said.typed:
            if len(self._waiting) >= _MAX_WAITING:
                raise LimitExceededError(f"text: {_MAX_WAITING} typed turns are waiting already", field="text")
            self._waiting.append(said)
        return []

    def _begin(self, said: Said) -> list[Effect]:
        self._count += 1
        self.turn_id = f"turn-{self._count}"
        return [self._enter(State.THINKING), BeginTurn(self.turn_id, said)]

    def _turn_ended(self) -> list[Effect]:
        if self._waiting:
            return self._begin(self._waiting.popleft())
        listening = self._enter(State.LISTENING)
        return [listening, EndConversation()] if self._ending else [listening]

    def _enter(self, state: State) -> EnterState:
        self.state = state
        if state is State.LISTENING:
            self.turn_id = ""
        return EnterState(state)
