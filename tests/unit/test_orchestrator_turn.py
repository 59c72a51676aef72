"""The turn machine: every event in every state, as a table, and the ways of whole turns."""

from dataclasses import replace

import pytest

from services.common.errors import LimitExceededError
from services.orchestrator.barge_in import Backchannels
from services.orchestrator.turn import TurnMachine
from services.orchestrator.turn_events import (
    Abandoned,
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

RULES = TurnRules(
    Backchannels(["oui", "d'accord"]), decide_within_s=0.5, thinking_s=60, speaking_s=600, draft_s=10, max_waiting=2
)
HELLO, STOP, YES, NOTHING = Said("hello"), Said("stop"), Said("oui"), Said("")
LOST = Said("", was_lost=True)
FIRST, SECOND, THIRD = Said("first", typed=True), Said("second", typed=True), Said("third", typed=True)

TO_LISTENING, TO_THINKING = EnterState(State.LISTENING), EnterState(State.THINKING)
TO_SPEAKING, TO_YIELDING = EnterState(State.SPEAKING), EnterState(State.YIELDING)
HOLD, GO_ON = HoldReply("turn-1"), LetReplyGoOn("turn-1")
COMPLETED = FinishTurn("turn-1", Outcome.COMPLETED)
INTERRUPTED = FinishTurn("turn-1", Outcome.INTERRUPTED)


def plain(effects: list[Effect]) -> list[Effect]:
    """Without when it was spoken into: a test of its own looks at that."""
    return [replace(effect, spoken_at=None) if isinstance(effect, FinishTurn) else effect for effect in effects]


def begin(said: Said, turn: str = "turn-1", *, drafted: bool = False) -> list[Effect]:
    return [TO_THINKING, BeginTurn(turn, said, drafted)]


def after(*events: Input | float, rules: TurnRules = RULES) -> tuple[TurnMachine, list[Effect]]:
    """A machine after some events, and what the last one did; a number is the moment of those that follow."""
    machine, effects, now = TurnMachine(rules), [], 0.0
    for event in events:
        if isinstance(event, float):
            now = event
        else:
            effects = machine.step(event, now)
    return machine, effects


# How each state comes about. Whoever speaks in one is utterance 1, and the turn of one is turn-1.
LISTENING: tuple[Input, ...] = ()
HEARING = (SpeechBegan(1, 0.0),)  # listening to somebody
DRAFTED = (*HEARING, SpeechPaused(1, HELLO))
THINKING = (Typed(FIRST),)
SPEAKING = (*THINKING, AudioBegan("turn-1"))
YIELDING_EARLY = (*THINKING, SpeechBegan(1, 0.0))
YIELDING = (*SPEAKING, SpeechBegan(1, 0.0))

STATES = [
    (LISTENING, State.LISTENING),
    (HEARING, State.LISTENING),
    (DRAFTED, State.LISTENING),
    (THINKING, State.THINKING),
    (SPEAKING, State.SPEAKING),
    (YIELDING_EARLY, State.YIELDING),
    (YIELDING, State.YIELDING),
]

TABLE: list[tuple[tuple[Input, ...], Input, list[Effect]]] = [
    (LISTENING, SpeechBegan(2, 0.0), []),
    (LISTENING, WordsHeard(1, "hello"), []),
    (LISTENING, SpeechPaused(1, HELLO), []),
    (LISTENING, SpeechResumed(1), []),
    (LISTENING, SpeechEnded(1, HELLO), []),
    (LISTENING, EarsLost(), []),
    (LISTENING, EarsLost(LOST), begin(LOST)),
    (LISTENING, Typed(FIRST), begin(FIRST)),
    (LISTENING, Typed(replace(FIRST, text=" \n")), []),
    (LISTENING, AudioBegan("turn-1"), []),
    (LISTENING, AudioBegan(""), []),
    (LISTENING, ReplyEnded("turn-1", Outcome.COMPLETED), []),
    (LISTENING, ReplyEnded("", Outcome.COMPLETED), []),
    (LISTENING, InterruptAsked(), []),
    (LISTENING, EndAsked(), [EndConversation()]),
    (LISTENING, TimePassed(), []),
    (HEARING, SpeechBegan(2, 0.0), []),
    (HEARING, WordsHeard(1, "hello"), []),
    (HEARING, SpeechPaused(1, HELLO), [Draft(HELLO)]),
    (HEARING, SpeechPaused(1, NOTHING), []),
    (HEARING, SpeechPaused(1, Said("…")), []),
    (HEARING, SpeechPaused(1, Said("[Musique]")), []),
    (HEARING, SpeechPaused(2, HELLO), []),
    (HEARING, SpeechResumed(1), []),
    (HEARING, SpeechEnded(1, HELLO), begin(HELLO)),
    (HEARING, SpeechEnded(1, YES), begin(YES)),
    (HEARING, SpeechEnded(1, NOTHING), []),
    (HEARING, SpeechEnded(1, Said("…")), []),
    (HEARING, SpeechEnded(1, Said("(rires)")), []),
    (HEARING, SpeechEnded(2, HELLO), []),
    (HEARING, EarsLost(), []),
    (HEARING, EarsLost(LOST), begin(LOST)),
    (HEARING, Typed(FIRST), begin(FIRST)),  # it may be noise
    (HEARING, AudioBegan("turn-1"), []),
    (HEARING, ReplyEnded("turn-1", Outcome.COMPLETED), []),
    (HEARING, InterruptAsked(), []),
    (HEARING, EndAsked(), [EndConversation()]),
    (HEARING, TimePassed(), []),
    (DRAFTED, SpeechBegan(2, 0.0), []),
    (DRAFTED, WordsHeard(1, "hello"), []),
    (DRAFTED, SpeechPaused(1, STOP), [DropDraft(), Draft(STOP)]),
    (DRAFTED, SpeechPaused(1, NOTHING), []),
    (DRAFTED, SpeechResumed(1), [DropDraft()]),
    (DRAFTED, SpeechResumed(2), []),
    (DRAFTED, SpeechEnded(1, HELLO), begin(HELLO, drafted=True)),
    (DRAFTED, SpeechEnded(1, Said("Hello!")), begin(Said("Hello!"), drafted=True)),
    (DRAFTED, SpeechEnded(1, STOP), [DropDraft(), *begin(STOP)]),
    (DRAFTED, SpeechEnded(1, NOTHING), [DropDraft()]),
    (DRAFTED, SpeechEnded(2, HELLO), []),
    (DRAFTED, EarsLost(), [DropDraft()]),
    (DRAFTED, EarsLost(LOST), [DropDraft(), *begin(LOST)]),
    (DRAFTED, Typed(FIRST), []),  # it waits
    (DRAFTED, AudioBegan("turn-1"), []),
    (DRAFTED, ReplyEnded("turn-1", Outcome.COMPLETED), []),
    (DRAFTED, InterruptAsked(), []),
    (DRAFTED, EndAsked(), [DropDraft(), EndConversation()]),
    (DRAFTED, TimePassed(), []),
    (THINKING, SpeechBegan(2, 0.5), [HoldReply("turn-1"), TO_YIELDING]),
    (THINKING, WordsHeard(1, "stop"), []),
    (THINKING, SpeechPaused(1, STOP), []),
    (THINKING, SpeechResumed(1), []),
    (THINKING, SpeechEnded(1, STOP), []),
    (THINKING, EarsLost(), []),
    (THINKING, EarsLost(LOST), []),
    (THINKING, Typed(SECOND), []),  # it waits
    (THINKING, AudioBegan("turn-1"), [TO_SPEAKING]),
    (THINKING, AudioBegan("turn-2"), []),
    (THINKING, ReplyEnded("turn-1", Outcome.FAILED), [FinishTurn("turn-1", Outcome.FAILED), TO_LISTENING]),
    (THINKING, ReplyEnded("turn-2", Outcome.FAILED), []),
    (THINKING, InterruptAsked(), [INTERRUPTED, TO_LISTENING]),
    (THINKING, EndAsked(), []),
    (THINKING, TimePassed(), []),
    (SPEAKING, SpeechBegan(2, 0.5), [HoldReply("turn-1"), TO_YIELDING]),
    (SPEAKING, WordsHeard(1, "stop"), []),
    (SPEAKING, SpeechPaused(1, STOP), []),
    (SPEAKING, SpeechResumed(1), []),
    (SPEAKING, SpeechEnded(1, STOP), []),
    (SPEAKING, EarsLost(), []),
    (SPEAKING, EarsLost(LOST), []),
    (SPEAKING, Typed(SECOND), []),
    (SPEAKING, AudioBegan("turn-1"), []),
    (SPEAKING, ReplyEnded("turn-1", Outcome.COMPLETED), [COMPLETED, TO_LISTENING]),
    (SPEAKING, ReplyEnded("turn-0", Outcome.COMPLETED), []),
    (SPEAKING, InterruptAsked(), [INTERRUPTED, TO_LISTENING]),
    (SPEAKING, EndAsked(), []),
    (SPEAKING, TimePassed(), []),
    (YIELDING_EARLY, WordsHeard(1, "stop it now"), [INTERRUPTED, TO_LISTENING]),
    (YIELDING_EARLY, SpeechPaused(1, YES), [TO_THINKING, GO_ON]),
    (YIELDING_EARLY, EarsLost(), [TO_THINKING, GO_ON]),
    (YIELDING_EARLY, AudioBegan("turn-1"), []),
    (YIELDING, SpeechBegan(2, 0.5), []),
    (YIELDING, WordsHeard(1, "stop it now"), [INTERRUPTED, TO_LISTENING]),
    (YIELDING, WordsHeard(2, "stop it now"), []),
    (YIELDING, WordsHeard(1, "oui"), []),
    (YIELDING, WordsHeard(1, "d'"), []),
    (YIELDING, WordsHeard(1, ""), []),
    (YIELDING, SpeechPaused(1, STOP), [INTERRUPTED, TO_LISTENING, Draft(STOP)]),
    (YIELDING, SpeechPaused(1, YES), [TO_SPEAKING, GO_ON]),
    (YIELDING, SpeechPaused(1, NOTHING), [TO_SPEAKING, GO_ON]),
    (YIELDING, SpeechPaused(2, NOTHING), []),
    (YIELDING, SpeechResumed(1), []),
    (YIELDING, SpeechEnded(1, STOP), [INTERRUPTED, TO_LISTENING, *begin(STOP, "turn-2")]),
    (YIELDING, SpeechEnded(1, YES), [TO_SPEAKING, GO_ON]),
    (YIELDING, SpeechEnded(1, NOTHING), [TO_SPEAKING, GO_ON]),
    (YIELDING, SpeechEnded(2, STOP), []),
    (YIELDING, EarsLost(), [TO_SPEAKING, GO_ON]),
    (YIELDING, EarsLost(LOST), [TO_SPEAKING, GO_ON]),
    (YIELDING, Typed(SECOND), []),
    (YIELDING, AudioBegan("turn-1"), []),
    (YIELDING, ReplyEnded("turn-1", Outcome.COMPLETED), [COMPLETED, TO_LISTENING]),
    (YIELDING, ReplyEnded("turn-2", Outcome.COMPLETED), []),
    (YIELDING, InterruptAsked(), [INTERRUPTED, TO_LISTENING]),
    (YIELDING, EndAsked(), []),
    (YIELDING, TimePassed(), []),
]


@pytest.mark.parametrize(("events", "state"), STATES)
def test_the_states_of_the_table_are_those(events: tuple[Input, ...], state: State) -> None:
    assert after(*events)[0].state is state


@pytest.mark.parametrize(("events", "event", "effects"), TABLE)
def test_what_is_done_about_an_event(events: tuple[Input, ...], event: Input, effects: list[Effect]) -> None:
    machine, did = after(*events, event)
    assert plain(did) == effects
    entered = [effect.state for effect in effects if isinstance(effect, EnterState)]
    assert machine.state is (entered[-1] if entered else after(*events)[0].state)


def test_a_spoken_turn() -> None:
    machine, effects = after(*DRAFTED, SpeechEnded(1, HELLO))
    assert effects == begin(HELLO, drafted=True)
    assert machine.turn_id == "turn-1"
    assert machine.step(AudioBegan("turn-1"), 1.0) == [TO_SPEAKING]
    assert machine.step(ReplyEnded("turn-1", Outcome.COMPLETED), 2.0) == [COMPLETED, TO_LISTENING]
    assert machine.turn_id == ""


def test_a_draft_is_void_once_the_speaker_went_on_even_if_the_words_are_the_same() -> None:
    _, effects = after(*DRAFTED, SpeechResumed(1), SpeechEnded(1, HELLO))
    assert effects == begin(HELLO)


def test_nothing_is_drafted_where_that_is_not_wanted() -> None:
    assert after(*DRAFTED, rules=replace(RULES, speculate=False))[1] == []


def test_a_false_alarm_may_come_again_and_the_interruption_after_it() -> None:
    machine, _ = after(*YIELDING, SpeechPaused(1, YES))
    assert machine.step(SpeechResumed(1), 1.0) == [HOLD, TO_YIELDING]
    assert machine.step(WordsHeard(1, "oui"), 1.1) == []
    assert plain(machine.step(WordsHeard(1, "oui mais attends"), 1.2)) == [INTERRUPTED, TO_LISTENING]
    assert machine.step(SpeechEnded(1, Said("oui mais")), 1.5) == begin(Said("oui mais"), "turn-2")


def test_what_is_not_decided_in_time_goes_on_and_words_still_interrupt() -> None:
    machine, _ = after(*YIELDING)
    assert machine.deadline == 0.5
    assert machine.step(TimePassed(), 0.49) == []
    assert machine.step(TimePassed(), 0.5) == [TO_SPEAKING, GO_ON]
    assert plain(machine.step(WordsHeard(1, "stop"), 0.6)) == [INTERRUPTED, TO_LISTENING]


def test_a_backchannel_while_it_thinks_lets_the_audio_come_that_began_meanwhile() -> None:
    _, effects = after(*YIELDING_EARLY, AudioBegan("turn-1"), SpeechEnded(1, YES))
    assert effects == [TO_SPEAKING, GO_ON]


def test_a_backchannel_into_a_reply_is_no_turn_but_into_silence_it_is() -> None:
    assert after(*YIELDING, SpeechPaused(1, YES), SpeechEnded(1, YES))[1] == []
    assert after(*YIELDING, ReplyEnded("turn-1", Outcome.COMPLETED), SpeechEnded(1, YES))[1] == begin(YES, "turn-2")


@pytest.mark.parametrize(
    ("events", "deadline", "overdue"),
    [(THINKING, 60.0, State.THINKING), (SPEAKING, 600.0, State.SPEAKING)],
)
def test_a_state_that_lasts_too_long_fails(events: tuple[Input, ...], deadline: float, overdue: State) -> None:
    machine, _ = after(*events)
    assert machine.deadline == deadline
    failed = FinishTurn("turn-1", Outcome.FAILED, overdue)
    assert machine.step(TimePassed(), deadline) == [failed, TO_LISTENING]
    assert machine.deadline is None


def test_to_yield_gives_no_turn_more_time() -> None:
    machine, _ = after(*SPEAKING, 599.8, SpeechBegan(1, 599.8), 600.3, TimePassed())
    assert machine.deadline == 600.0
    assert machine.step(TimePassed(), 600.3)[0] == FinishTurn("turn-1", Outcome.FAILED, State.SPEAKING)


def test_a_draft_that_nobody_takes_up_is_dropped() -> None:
    machine, _ = after(*DRAFTED)
    assert machine.deadline == 10.0
    assert machine.step(TimePassed(), 10.0) == [DropDraft()]
    assert machine.deadline is None


def test_what_was_typed_waits_for_its_turn_in_order() -> None:
    machine, _ = after(*SPEAKING, Typed(SECOND), Typed(THIRD))
    assert machine.step(ReplyEnded("turn-1", Outcome.COMPLETED), 1.0) == [COMPLETED, *begin(SECOND, "turn-2")]
    finished = FinishTurn("turn-2", Outcome.INTERRUPTED)
    assert machine.step(InterruptAsked(), 2.0) == [finished, *begin(THIRD, "turn-3")]


def test_what_was_typed_waits_for_who_speaks() -> None:
    machine, _ = after(*HEARING, WordsHeard(1, "hel"), Typed(FIRST))
    assert machine.step(SpeechEnded(1, HELLO), 1.0) == begin(HELLO)
    assert machine.step(InterruptAsked(), 2.0) == [INTERRUPTED, *begin(FIRST, "turn-2")]


@pytest.mark.parametrize("end", [SpeechEnded(1, NOTHING), EarsLost()])
def test_what_was_typed_is_taken_up_when_nothing_was_said_after_all(end: Input) -> None:
    assert after(*HEARING, WordsHeard(1, "hel"), Typed(FIRST), end)[1] == begin(FIRST)


def test_too_much_typed_text_is_refused_and_the_rest_kept() -> None:
    machine, _ = after(*THINKING, Typed(SECOND), Typed(THIRD))
    with pytest.raises(LimitExceededError):
        machine.step(Typed(FIRST), 1.0)
    assert machine.step(InterruptAsked(), 2.0) == [INTERRUPTED, *begin(SECOND, "turn-2")]


def test_the_end_waits_for_the_turn_and_for_what_was_typed_before() -> None:
    machine, _ = after(*SPEAKING, Typed(SECOND), EndAsked(), Typed(THIRD), EndAsked())
    assert machine.step(ReplyEnded("turn-1", Outcome.COMPLETED), 1.0) == [COMPLETED, *begin(SECOND, "turn-2")]
    finished = FinishTurn("turn-2", Outcome.COMPLETED)
    over = [finished, TO_LISTENING, EndConversation()]
    assert machine.step(ReplyEnded("turn-2", Outcome.COMPLETED), 2.0) == over


@pytest.mark.parametrize(
    "event", [Typed(FIRST), SpeechPaused(1, HELLO), SpeechEnded(1, HELLO), EarsLost(LOST), EndAsked(), TimePassed()]
)
def test_nothing_comes_after_the_end(event: Input) -> None:
    assert after(*HEARING, EndAsked(), event)[1] == []


def test_an_interruption_after_the_end_was_asked_for_is_the_end() -> None:
    _, effects = after(*YIELDING, EndAsked(), SpeechEnded(1, STOP))
    assert plain(effects) == [INTERRUPTED, TO_LISTENING, EndConversation()]


def test_an_interruption_by_voice_tells_when_it_was_begun_and_one_by_hand_does_not() -> None:
    _, effects = after(Typed(FIRST), AudioBegan("turn-1"), SpeechBegan(1, 0.25), WordsHeard(1, "stop it now"))
    assert effects[0] == FinishTurn("turn-1", Outcome.INTERRUPTED, spoken_at=0.25)
    _, effects = after(Typed(FIRST), AudioBegan("turn-1"), SpeechBegan(1, 0.25), InterruptAsked())
    assert effects[0] == INTERRUPTED


def test_what_was_lost_during_a_reply_is_apologised_for_after_it() -> None:
    _, effects = after(Typed(FIRST), EarsLost(LOST), EarsLost(LOST), ReplyEnded("turn-1", Outcome.COMPLETED))
    assert effects == [COMPLETED, *begin(LOST, "turn-2")]


def test_a_turn_whose_client_does_not_come_back_is_over_and_nothing_follows_it() -> None:
    machine, effects = after(Typed(FIRST), Typed(SECOND), Abandoned())
    assert effects == [INTERRUPTED, TO_LISTENING, EndConversation()]
    assert machine.step(Typed(THIRD), 1.0) == []


def test_no_time_has_passed_for_a_client_that_comes_back() -> None:
    machine, effects = after(Typed(FIRST), 59.0, Reconnected())
    assert effects == []
    assert machine.step(TimePassed(), 61.0) == []
    assert machine.step(TimePassed(), 119.0) == [FinishTurn("turn-1", Outcome.FAILED, State.THINKING), TO_LISTENING]


def test_a_session_that_goes_on_elsewhere_numbers_its_turns_on() -> None:
    assert TurnMachine(RULES, turns_before=7).step(Typed(FIRST), 0.0) == begin(FIRST, "turn-8")


@pytest.mark.parametrize(
    ("is_question", "final", "begins"), [(False, YES, False), (True, YES, True), (False, STOP, True)]
)
def test_a_backchannel_that_outlasts_the_reply_is_an_answer_to_a_question_alone(
    is_question: bool, final: Said, begins: bool
) -> None:
    speaking = (Typed(FIRST), AudioBegan("turn-1"), SpeechBegan(1, 0.0), SpeechPaused(1, YES))
    machine, _ = after(*speaking, ReplyEnded("turn-1", Outcome.COMPLETED, is_question))
    assert machine.step(SpeechEnded(1, final), 1.0) == (begin(final, "turn-2") if begins else [])


def test_a_word_that_may_be_another_is_given_half_as_long_again_once() -> None:
    machine, _ = after(Typed(FIRST), AudioBegan("turn-1"), SpeechBegan(1, 0.0), WordsHeard(1, "folk", is_sure=False))
    assert machine.step(TimePassed(), 0.5) == []
    assert machine.deadline == 0.75
    assert machine.step(TimePassed(), 0.75) == [TO_SPEAKING, GO_ON]


@pytest.mark.parametrize(("text", "interrupts"), [("attends", True), ("oui", False), ("d'acc", False)])
def test_a_few_words_are_judged_when_the_next_should_have_come(text: str, interrupts: bool) -> None:
    """Nothing is heard of the reply meanwhile: there is time to tell half a backchannel from a word."""
    machine, effects = after(Typed(FIRST), AudioBegan("turn-1"), SpeechBegan(1, 0.0), WordsHeard(1, text))
    assert effects == []
    assert machine.step(TimePassed(), 0.5) == []
    assert plain(machine.step(TimePassed(), 0.75)) == (
        [INTERRUPTED, TO_LISTENING] if interrupts else [TO_SPEAKING, GO_ON]
    )
