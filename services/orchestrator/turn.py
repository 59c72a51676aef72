"""When turns begin, yield and end: a state machine without I/O, told the time by whoever drives it.

                 ┌────────────── it was nothing ───────────────┐
                 ▼                                             │
    LISTENING ──said or typed──▶ THINKING ──somebody speaks──▶ YIELDING ──real words──▶ LISTENING
        ▲                           │first audio               ▲ │
        │                           ▼                          │ │
        └────── reply ended ◀── SPEAKING ──somebody speaks─────┘ ▼ nothing: back to what it did

At a pause while LISTENING a reply is drafted, which becomes the turn's where nothing else is said. One turn at a time;
every turn that begins is finished exactly once. Every state but LISTENING, and every draft, has a deadline.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from services.common.errors import LimitExceededError
from services.orchestrator import turn_events as ev
from services.orchestrator.barge_in import Evidence, Verdict, judge
from services.orchestrator.turn_events import Effect, Input, Outcome, Said, State
from services.orchestrator.turn_rules import TurnRules
from services.orchestrator.words import is_same_speech, words_heard

_LONGER = 0.5  # times the time for a decision: a partial transcript more
_PLENTY = 3  # words of somebody who goes on speaking, and no backchannel half heard


@dataclass
class _Speaker:
    """The user, speaking."""

    utterance: int
    began_at: float
    has_words: bool = False  # until then it may be noise
    text: str = ""  # the words that are sure
    was_waited_for: bool = False
    let_pass: str = ""  # what of it was said into a reply and did not interrupt it


class TurnMachine:
    """The state of one conversation."""

    def __init__(self, rules: TurnRules, turns_before: int = 0) -> None:
        self.state = State.LISTENING
        self.turn_id = ""
        self.deadline: float | None = None  # when it wants to be told that time passed
        self._rules = rules
        self._now = 0.0
        self.count = turns_before  # of turns that began
        self._user: _Speaker | None = None
        self._draft: Said | None = None
        self._yielded_from = State.LISTENING
        self._limits: dict[State, float] = {}  # when the turn has been thinking or speaking for too long
        self._waiting: deque[Said] = deque()
        self._ending = False
        self._handlers: dict[type, Callable[..., list[Effect]]] = {
            ev.SpeechBegan: self._speech_began,
            ev.WordsHeard: self._words_heard,
            ev.SpeechPaused: self._speech_paused,
            ev.SpeechResumed: self._speech_resumed,
            ev.SpeechEnded: self._speech_ended,
            ev.EarsLost: self._ears_lost,
            ev.Typed: self._typed,
            ev.AudioBegan: self._audio_began,
            ev.ReplyEnded: self._reply_ended,
            ev.InterruptAsked: lambda _event: self._interrupt(),
            ev.EndAsked: self._end_asked,
            ev.Abandoned: self._abandoned,
            ev.Reconnected: self._reconnected,
            ev.TimePassed: self._time_passed,
        }

    def step(self, event: Input, now: float) -> list[Effect]:
        """What is to be done about an event. One that comes too late, for an earlier turn, changes nothing."""
        self._now = now
        return self._handlers[type(event)](event)

    # What the user does

    def _speech_began(self, event: ev.SpeechBegan) -> list[Effect]:
        self._user = _Speaker(event.utterance, event.began_at)
        return self._yield()

    def _words_heard(self, event: ev.WordsHeard) -> list[Effect]:
        user = self._speaker(event.utterance)
        if user is None:
            return []
        words = words_heard(event.text)
        user.has_words |= bool(words)
        if not event.is_sure:
            return []
        user.text = event.text
        if self.state is State.YIELDING and len(words) < _PLENTY:
            return []  # nothing is heard of the reply meanwhile: there is time to hear more
        return self._weigh(user, event.text)

    def _speech_paused(self, event: ev.SpeechPaused) -> list[Effect]:
        user = self._speaker(event.utterance)
        if user is None:
            return []
        effects = self._weigh(user, event.said.text, is_over=True)
        if self._rules.speculate and self._is_new_turn(user, event.said):
            return effects + self._start_draft(event.said)
        return effects

    def _speech_resumed(self, event: ev.SpeechResumed) -> list[Effect]:
        return self._drop_draft() + self._yield() if self._speaker(event.utterance) else []

    def _speech_ended(self, event: ev.SpeechEnded) -> list[Effect]:
        user = self._speaker(event.utterance)
        if user is None:
            return []
        effects = self._weigh(user, event.said.text, is_over=True)
        begins, self._user = self._is_new_turn(user, event.said), None
        return effects + (self._begin(event.said) if begins else self._drop_draft() + self._begin_waiting())

    def _is_new_turn(self, user: _Speaker, said: Said) -> bool:
        """Whether it is to be replied to: words, while nothing else is replied to, that were not let pass before."""
        if self.state is not State.LISTENING or self._ending or is_same_speech(user.let_pass, said.text):
            return False
        return bool(words_heard(said.text))

    def _speaker(self, utterance: int) -> _Speaker | None:
        """Who speaks this utterance; None where that one is over."""
        return self._user if self._user is not None and self._user.utterance == utterance else None

    def _ears_lost(self, event: ev.EarsLost) -> list[Effect]:
        self._user = None
        if event.lost is not None and not self._ending and all(said.typed for said in self._waiting):
            self._waiting.append(event.lost)
        return self._drop_draft() + self._go_on() + self._begin_waiting()

    def _typed(self, event: ev.Typed) -> list[Effect]:
        if not event.said.text.strip() or self._ending:
            return []
        typed = sum(said.typed for said in self._waiting)
        begins_one = self._may_begin and all(said.typed for said in self._waiting)
        if typed - begins_one >= self._rules.max_waiting:
            raise LimitExceededError(f"text: {typed} typed turns are waiting already", field="text")
        self._waiting.append(event.said)
        return self._begin_waiting()

    def _end_asked(self, _event: ev.EndAsked) -> list[Effect]:
        if self._ending:
            return []
        self._ending = True
        if self.state is not State.LISTENING or self._waiting:
            return []
        return [*self._drop_draft(), ev.EndConversation()]

    def _abandoned(self, _event: ev.Abandoned) -> list[Effect]:
        self._ending = True
        self._waiting.clear()
        return self._drop_draft() + self._interrupt()

    # What becomes of speech into a reply

    def _weigh(self, user: _Speaker, text: str, *, is_over: bool = False) -> list[Effect]:
        """Decides, as soon as it can, whether the speech interrupts the reply."""
        user.has_words |= bool(words_heard(text))
        if self.state is State.LISTENING:
            return []
        verdict = judge(Evidence(text, is_over), self._rules.backchannels)
        if verdict is Verdict.INTERRUPTION:
            return self._finish(Outcome.INTERRUPTED, spoken_at=user.began_at)
        if verdict is Verdict.UNDECIDED:
            return []
        user.let_pass = text
        return self._go_on()

    def _yield(self) -> list[Effect]:
        if self._user is None or self.state not in (State.THINKING, State.SPEAKING):
            return []
        self._yielded_from = self.state
        self.deadline = self._now + self._rules.decide_within_s
        self.state = State.YIELDING
        return [ev.HoldReply(self.turn_id), ev.EnterState(State.YIELDING)]

    def _go_on(self) -> list[Effect]:
        if self.state is not State.YIELDING:
            return []
        return [*self._enter(self._yielded_from), ev.LetReplyGoOn(self.turn_id)]

    def _interrupt(self) -> list[Effect]:
        return self._finish(Outcome.INTERRUPTED) if self.state is not State.LISTENING else []

    # Turns and drafts

    def _start_draft(self, said: Said) -> list[Effect]:
        effects = self._drop_draft()
        self._draft = said
        self.deadline = self._now + self._rules.draft_s
        return [*effects, ev.Draft(said)]

    def _drop_draft(self) -> list[Effect]:
        if self._draft is None:
            return []
        self._draft = None
        if self.state is State.LISTENING:
            self.deadline = None
        return [ev.DropDraft()]

    def _begin(self, said: Said) -> list[Effect]:
        drafted = self._draft is not None and not said.typed and is_same_speech(self._draft.text, said.text)
        effects = [] if drafted else self._drop_draft()
        self._draft = None
        self.count += 1
        self.turn_id = f"turn-{self.count}"
        self._limits = {State.THINKING: self._now + self._rules.thinking_s}
        return [*effects, *self._enter(State.THINKING), ev.BeginTurn(self.turn_id, said, drafted)]

    def _audio_began(self, event: ev.AudioBegan) -> list[Effect]:
        if not self._is_current(event.turn_id) or State.SPEAKING in self._limits:
            return []
        self._limits[State.SPEAKING] = self._now + self._rules.speaking_s
        if self.state is State.YIELDING:  # it was on its way when the user began to speak
            self._yielded_from = State.SPEAKING
            return []
        return self._enter(State.SPEAKING)

    def _reply_ended(self, event: ev.ReplyEnded) -> list[Effect]:
        if not self._is_current(event.turn_id):
            return []
        if event.is_question and self._user is not None:
            self._user.let_pass = ""  # "oui" into its last word is an answer
        return self._finish(event.outcome)

    def _is_current(self, turn_id: str) -> bool:
        return self.state is not State.LISTENING and turn_id == self.turn_id

    def _finish(self, outcome: Outcome, overdue: State | None = None, spoken_at: float | None = None) -> list[Effect]:
        finished = ev.FinishTurn(self.turn_id, outcome, overdue, spoken_at)
        self.turn_id, self.state, self._limits = "", State.LISTENING, {}
        if self._waiting and self._may_begin:
            return [finished, *self._begin_waiting()]
        effects = [finished, *self._enter(State.LISTENING)]
        return [*effects, ev.EndConversation()] if self._ending and not self._waiting else effects

    @property
    def _may_begin(self) -> bool:
        """Whether what was typed may be replied to: not into a reply, nor while the user says something."""
        return self.state is State.LISTENING and not (self._user is not None and self._user.has_words)

    def _begin_waiting(self) -> list[Effect]:
        return self._begin(self._waiting.popleft()) if self._waiting and self._may_begin else []

    # Time

    def _time_passed(self, _event: ev.TimePassed) -> list[Effect]:
        if self.deadline is None or self._now < self.deadline:
            return []
        if self.state is State.LISTENING:
            return self._drop_draft()
        if self.state is State.YIELDING:
            return self._decide()
        return self._finish(Outcome.FAILED, self.state)

    def _decide(self) -> list[Effect]:
        """Without a word, at once; where one was heard the next is waited for, once. Later ones still interrupt."""
        user = self._user
        if user is None or not user.has_words:
            return self._go_on()
        if user.was_waited_for:
            return self._weigh(user, user.text) or self._go_on()
        user.was_waited_for = True
        self.deadline = self._now + self._rules.decide_within_s * _LONGER
        return []

    def _reconnected(self, _event: ev.Reconnected) -> list[Effect]:
        rules = {State.THINKING: self._rules.thinking_s, State.SPEAKING: self._rules.speaking_s}
        self._limits = {state: self._now + rules[state] for state in self._limits}
        self.deadline = self._limits.get(self.state, self.deadline)
        return []

    def _enter(self, state: State) -> list[Effect]:
        self.state = state
        self.deadline = self._limits.get(state)
        return [ev.EnterState(state)]
