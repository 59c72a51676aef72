"""What happens to a turn, and what is to be done about it: the inputs and effects of the turn machine."""

from dataclasses import dataclass
from enum import Enum


class State(Enum):
    """What the assistant is doing."""

    LISTENING = "listening"  # nobody waits for it
    THINKING = "thinking"  # a reply is on its way
    SPEAKING = "speaking"  # its audio is
    YIELDING = "yielding"  # somebody speaks while it replies: the reply is held until it is clear what that is


class Outcome(Enum):
    """How a turn ended."""

    COMPLETED = "completed"
    INTERRUPTED = "interrupted"
    FAILED = "failed"


@dataclass(frozen=True)
class Said:
    """The user said something, or typed it."""

    text: str
    typed: bool = False
    language_code: str = ""
    # Carried along for the measures, not looked at. Moments are on the conversation's clock.
    said_at: float = 0.0  # the moment of its last word
    decided_at: float | None = None  # when it was decided that this was the last one; not of typed text
    backend: str = ""
    was_lost: bool = False  # something was said, and nobody heard what


@dataclass(frozen=True)
class SpeechBegan:
    """Somebody begins to speak. Utterances are numbered through the whole conversation."""

    utterance: int
    began_at: float  # the moment of its first sound


@dataclass(frozen=True)
class WordsHeard:
    """All that was heard of an utterance so far, which goes on. Where not `is_sure`, it may be half of another word."""

    utterance: int
    text: str
    is_sure: bool = True


@dataclass(frozen=True)
class SpeechPaused:
    """The speaker fell silent, perhaps for good: then this is what was said."""

    utterance: int
    said: Said


@dataclass(frozen=True)
class SpeechResumed:
    """The speaker goes on."""

    utterance: int


@dataclass(frozen=True)
class SpeechEnded:
    """The utterance is over, and this is what was said; an empty text where that was nothing."""

    utterance: int
    said: Said


@dataclass(frozen=True)
class EarsLost:
    """What the ears were hearing will not be told any more. `lost`: that something was said, to be apologised for."""

    lost: Said | None = None


@dataclass(frozen=True)
class Typed:
    """The user typed something."""

    said: Said


@dataclass(frozen=True)
class AudioBegan:
    """The first audio of a turn's reply is on its way."""

    turn_id: str


@dataclass(frozen=True)
class ReplyEnded:
    """A turn's reply is over: all of it was given, or it failed. `is_question`: it waits for an answer."""

    turn_id: str
    outcome: Outcome
    is_question: bool = False


@dataclass(frozen=True)
class InterruptAsked:
    """The user wants the reply to stop."""


@dataclass(frozen=True)
class EndAsked:
    """No more input comes."""


@dataclass(frozen=True)
class Abandoned:
    """The client does not come back."""


@dataclass(frozen=True)
class Reconnected:
    """The client is back. While it was away no time passed."""


@dataclass(frozen=True)
class TimePassed:
    """The machine's deadline may have come."""


Input = (
    SpeechBegan
    | WordsHeard
    | SpeechPaused
    | SpeechResumed
    | SpeechEnded
    | EarsLost
    | Typed
    | AudioBegan
    | ReplyEnded
    | InterruptAsked
    | EndAsked
    | Abandoned
    | Reconnected
    | TimePassed
)


@dataclass(frozen=True)
class Draft:
    """Prepare a reply to what was probably said; nobody hears of it yet. Only one is prepared at a time."""

    said: Said


@dataclass(frozen=True)
class DropDraft:
    """It was not said, or not that."""


@dataclass(frozen=True)
class BeginTurn:
    """Reply; where `drafted`, with the reply that was prepared."""

    turn_id: str
    said: Said
    drafted: bool


@dataclass(frozen=True)
class HoldReply:
    """Let nothing more of the reply be heard for now."""

    turn_id: str


@dataclass(frozen=True)
class LetReplyGoOn:
    """It was nothing."""

    turn_id: str


@dataclass(frozen=True)
class FinishTurn:
    """The turn is over. Comes once for each; whatever its reply still does is to be stopped."""

    turn_id: str
    outcome: Outcome
    overdue: State | None = None  # the state that lasted too long, if that was why
    spoken_at: float | None = None  # the first sound of whoever interrupted it by voice


@dataclass(frozen=True)
class EnterState:
    """Tell the client."""

    state: State


@dataclass(frozen=True)
class EndConversation:
    """Nothing is left to do."""


Effect = Draft | DropDraft | BeginTurn | HoldReply | LetReplyGoOn | FinishTurn | EnterState | EndConversation
