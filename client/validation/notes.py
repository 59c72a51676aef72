"""Takes down what the assistant tells while a sentence is said and answered; shows it as well."""

from dataclasses import dataclass, field

from client.events import (
    ConnectionLost,
    Degraded,
    DeviceChanged,
    Event,
    Interrupted,
    ReplyAudio,
    State,
    StateChanged,
    Transcript,
    TurnFinished,
)
from client.messages import tr
from client.validation.record import Interruption, TurnNote
from client.views.view import View

_STOPPED = "barge_in_stop"


@dataclass
class _Turn:
    parts: list[str] = field(default_factory=list)
    finished: TurnFinished | None = None

    def note(self) -> TurnNote:
        understood = " ".join(self.parts)
        if self.finished is None:
            return TurnNote(understood, "", {}, {})
        timings = {name: round(ms, 1) for name, ms in self.finished.timings_ms.items()}
        return TurnNote(understood, self.finished.outcome, timings, dict(self.finished.backends))


class Notes:
    """A View that remembers, in front of one that shows."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._turns: dict[str, _Turn] = {}
        self._speaking: set[str] = set()
        self._interrupted: Interrupted | None = None
        self._problems: list[str] = []

    def begin(self) -> None:
        """A sentence is about to be said: forgets the one before."""
        self._turns = {}
        self._speaking = set()
        self._interrupted = None
        self._problems = []

    @property
    def turn_ids(self) -> tuple[str, ...]:
        """Of the turns that began since then."""
        return tuple(self._turns)

    @property
    def is_replying(self) -> bool:
        """Whether the reply to the last turn has begun to sound, and was not over when last told."""
        return any(turn_id in self._speaking and turn.finished is None for turn_id, turn in self._turns.items())

    @property
    def was_interrupted(self) -> bool:
        """Whether a reply was cut off."""
        return self._interrupted is not None

    @property
    def problems(self) -> tuple[str, ...]:
        """What did not work meanwhile."""
        return tuple(dict.fromkeys(self._problems))

    def turns(self, turn_ids: tuple[str, ...]) -> tuple[TurnNote, ...]:
        """What became of these turns."""
        return tuple(self._turns[turn_id].note() for turn_id in turn_ids)

    def interruption(self) -> Interruption:
        """What came of speaking into the reply."""
        timings = (turn.finished.timings_ms for turn in self._turns.values() if turn.finished)
        stopped_ms = next((one[_STOPPED] for one in timings if _STOPPED in one), None)
        if self._interrupted is None:
            return Interruption(came=False, stopped_ms=None, heard_text="")
        return Interruption(came=True, stopped_ms=stopped_ms, heard_text=self._interrupted.heard_text)

    def show(self, event: Event) -> None:
        """The assistant told something."""
        self._view.show(event)
        match event.what:
            case StateChanged(State.THINKING):
                self._turn(event.turn_id)
            case Transcript(text, is_final=True):
                self._turn(event.turn_id).parts.append(text)
            case ReplyAudio():
                self._speaking.add(event.turn_id)
            case Interrupted():
                self._interrupted = event.what
            case TurnFinished():
                self._turn(event.turn_id).finished = event.what
            case Degraded() | ConnectionLost() | DeviceChanged(is_there=False):
                self._problems.append(_problem(event.what))

    def note(self, text: str) -> None:
        """The client has something to say about itself."""
        self._view.note(text)

    def ask_for_text(self) -> None:
        """Nobody types here."""

    def reply_file(self, path: str, duration_s: float) -> None:
        """No reply is written."""

    def _turn(self, turn_id: str) -> _Turn:
        return self._turns.setdefault(turn_id, _Turn())


def _problem(what: Degraded | ConnectionLost | DeviceChanged) -> str:
    match what:
        case Degraded(stage, _, message):
            return f"{stage}: {message}"
        case DeviceChanged(_, name):
            return tr("{device} was gone", device=name)
        case _:
            return tr("connection lost")


def joined(turns: tuple[TurnNote, ...]) -> str:
    """What was understood in all of them: a sentence with a pause in it may have become several turns.

    Where the first words were answered before the rest came, a later turn tells them again.
    """
    parts: list[str] = []
    for turn in turns:
        text = turn.understood.strip()
        if parts and text.lower().startswith(parts[-1].lower().rstrip(" .!?…,")):
            parts.pop()
        parts.append(text)
    return " ".join(filter(None, parts))
