"""The turn machine under random orders of all events: what must hold after each of them, and at the end."""

from dataclasses import dataclass, field, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from services.common.errors import LimitExceededError
from services.orchestrator.barge_in import Backchannels
from services.orchestrator.turn import TurnMachine
from services.orchestrator.turn_events import (
    AudioBegan,
    BeginTurn,
    Draft,
    DropDraft,
    EarsLost,
    Effect,
    EndAsked,
    EndConversation,
    EnterState,
    FinishTurn,
    HoldReply,
    Input,
    InterruptAsked,
    LetReplyGoOn,
    Outcome,
    Reconnected,
    ReplyEnded,
    Said,
    SpeechBegan,
    SpeechEnded,
    SpeechPaused,
    SpeechResumed,
    State,
    TimePassed,
    Typed,
    WordsHeard,
)
from services.orchestrator.turn_rules import TurnRules
from services.orchestrator.words import is_same_speech

RULES = TurnRules(Backchannels(["oui", "c'est ça"]), decide_within_s=0.5, thinking_s=3, speaking_s=6, max_waiting=2)
CURRENT, LAST = "the current turn", "the turn before"  # stand for the ids that these turns have by then
REAL_WORDS = ("stop", "Bonjour à tous.", "oui mais non")
TEXTS = (*REAL_WORDS, "bonjour à tous", "oui", "c'est", "c'est ça", "", "…", "[Musique]")
UTTERANCES = (1, 2, 3, -1)

EVENTS: list[Input | float] = [
    *[SpeechBegan(utterance, 0.0) for utterance in UTTERANCES for _ in range(4)],
    *[WordsHeard(utterance, text) for utterance in UTTERANCES for text in TEXTS],
    *[SpeechPaused(utterance, Said(text)) for utterance in UTTERANCES for text in TEXTS],
    *[SpeechResumed(utterance) for utterance in UTTERANCES for _ in range(3)],
    *[SpeechEnded(utterance, Said(text)) for utterance in UTTERANCES for text in TEXTS],
    *[EarsLost(), EarsLost(Said("", was_lost=True))] * 3,
    *[Reconnected()] * 3,
    *[Typed(Said("a question", typed=True))] * 15,
    Typed(Said(" ", typed=True)),
    *[AudioBegan(turn) for turn in (CURRENT, CURRENT, CURRENT, CURRENT, LAST, "", "turn-7", "nonsense")] * 3,
    *[ReplyEnded(turn, outcome) for turn in (CURRENT, LAST, "", "turn-7", "nonsense") for outcome in Outcome],
    *[InterruptAsked()] * 3,
    EndAsked(),
    *[TimePassed()] * 20,
    *[0.0, 0.1, 0.5, 0.5, 1.0, 3.0, 6.0, 10.0, -1.0] * 2,  # the clock moves so far; below zero, to its deadline
]


@dataclass
class Conversation:
    """Takes the effects as a conversation would, and objects to what makes no sense."""

    machine: TurnMachine = field(default_factory=lambda: TurnMachine(RULES))
    now: float = 0.0
    told: State = State.LISTENING
    turn: str = ""  # the one that is open
    finished: list[str] = field(default_factory=list)
    draft: Said | None = None
    is_held: bool = False
    is_over: bool = False
    end_asked: bool = False
    speaking: int | None = None
    typed: list[Said] = field(default_factory=list)  # taken, and not replied to yet

    def take(self, event: Input | float) -> None:
        if isinstance(event, float):
            self.now = max(self.now, self.machine.deadline or 0.0) if event < 0 else self.now + event
            return
        event = self._meant(event)
        state = self.machine.state
        try:
            effects = self.machine.step(event, self.now)
        except LimitExceededError:
            assert isinstance(event, Typed)
            assert len(self.typed) == RULES.max_waiting
            assert self.machine.state is state
            return
        if isinstance(event, Typed) and event.said.text.strip() and not self.end_asked:
            self.typed.append(event.said)
        if isinstance(event, AudioBegan | ReplyEnded) and event.turn_id != self.turn:
            assert effects == []
        self._check_that_nothing_said_is_lost(event, effects)
        self.end_asked |= isinstance(event, EndAsked)
        for effect in effects:
            self._apply(effect)
        self._check()

    def _meant(self, event: Input) -> Input:
        if isinstance(event, AudioBegan | ReplyEnded) and event.turn_id in (CURRENT, LAST):
            last = self.finished[-1] if self.finished else ""
            return replace(event, turn_id=self.turn if event.turn_id == CURRENT else last)
        if isinstance(event, Typed) and event.said.text.strip():
            taken = len(self.finished) + len(self.typed) + bool(self.turn)
            return Typed(replace(event.said, text=f"question {taken}"))
        return event

    def _check_that_nothing_said_is_lost(self, event: Input, effects: list[Effect]) -> None:
        """Words end in a turn of their own, whatever happened before them."""
        if isinstance(event, SpeechBegan):
            self.speaking = event.utterance
        elif isinstance(event, EarsLost):
            self.speaking = None
        elif isinstance(event, SpeechEnded) and event.utterance == self.speaking:
            self.speaking = None
            if event.said.text in REAL_WORDS and not self.end_asked:
                assert [effect.said for effect in effects if isinstance(effect, BeginTurn)] == [event.said]

    def _apply(self, effect: Effect) -> None:
        assert not self.is_over, "the conversation has ended"
        match effect:
            case EnterState(state):
                self.told = state
            case Draft() | DropDraft():
                self._draft(effect)
            case BeginTurn():
                self._begin(effect)
            case HoldReply() | LetReplyGoOn() | FinishTurn():
                self._change(effect)
            case EndConversation():
                assert self.end_asked
                assert (self.turn, self.draft, self.typed) == ("", None, [])
                self.is_over = True

    def _draft(self, effect: Draft | DropDraft) -> None:
        is_new = isinstance(effect, Draft)
        assert self.turn == ""
        assert (self.draft is None) == is_new
        self.draft = effect.said if isinstance(effect, Draft) else None

    def _change(self, effect: HoldReply | LetReplyGoOn | FinishTurn) -> None:
        """Of the turn that is open."""
        assert effect.turn_id == self.turn != ""
        if isinstance(effect, FinishTurn):
            self.finished.append(self.turn)
            self.turn, self.is_held = "", False
        else:
            assert self.is_held == isinstance(effect, LetReplyGoOn)
            self.is_held = not self.is_held

    def _begin(self, effect: BeginTurn) -> None:
        assert self.turn == ""
        assert effect.turn_id not in ("", *self.finished)
        if effect.drafted:
            assert self.draft is not None
            assert is_same_speech(self.draft.text, effect.said.text)
        else:
            assert self.draft is None
        self.turn, self.draft = effect.turn_id, None
        if effect.said.typed:
            assert effect.said == self.typed.pop(0)

    def _check(self) -> None:
        machine = self.machine
        assert len(self.typed) <= RULES.max_waiting
        assert machine.state is self.told
        assert machine.turn_id == self.turn
        assert (machine.state is State.LISTENING) == (not self.turn)
        assert (machine.state is State.YIELDING) == self.is_held
        assert (machine.deadline is not None) == bool(self.turn or self.draft)

    def let_time_pass(self) -> None:
        """Nothing else happens any more: it comes back to listening by itself, in a few steps."""
        open_turns = len(self.typed) + bool(self.turn) + 1  # one may apologise for what was not heard
        for _ in range(2 * open_turns + 1):  # each may yield before it is given up, and a draft is dropped
            if self.machine.deadline is None:
                break
            self.now = max(self.now, self.machine.deadline)
            self.take(TimePassed())
        assert self.machine.deadline is None
        assert self.machine.state is State.LISTENING


@settings(max_examples=10_000, deadline=None)
@given(st.lists(st.sampled_from(EVENTS), min_size=20, max_size=40))
def test_no_order_of_events_breaks_it(events: list[Input | float]) -> None:
    conversation = Conversation()
    for event in events:
        conversation.take(event)
    conversation.let_time_pass()
    conversation.take(EarsLost())  # whoever spoke, and never ended, held up what was typed
    conversation.let_time_pass()
    assert conversation.typed == []
    conversation.take(EndAsked())
    assert conversation.is_over
