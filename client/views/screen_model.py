"""What the full-screen view shows, kept up to date by what is told. No terminal here."""

from collections.abc import Mapping
from enum import StrEnum

from client.config import Listening
from client.events import (
    ConnectionLost,
    Degraded,
    DeviceChanged,
    Event,
    HearingChanged,
    Interrupted,
    Outcome,
    ReplyText,
    SessionOpened,
    State,
    StateChanged,
    Transcript,
    TurnFinished,
    What,
)
from client.messages import tr
from client.views import sentences
from client.views.dialogue import Dialogue, Who
from client.views.meter import Meter
from client.views.printable import printable

_LONGEST_PARTIAL = 1000  # characters; no line is as wide, and its end is what is looked at


class Connection(StrEnum):
    """How the line to the assistant is."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    LOST = "lost"


class Activity(StrEnum):
    """What goes on, in one word."""

    LISTENING = "listening"
    HEARING = "hearing"  # the person speaks
    THINKING = "thinking"
    SPEAKING = "speaking"
    YIELDING = "yielding"
    WAITING_FOR_KEY = "waiting_for_key"
    WAITING_FOR_WORD = "waiting_for_word"
    MUTED = "muted"
    NO_MICROPHONE = "no_microphone"


_BUSY = {
    State.THINKING: Activity.THINKING,
    State.SPEAKING: Activity.SPEAKING,
    State.YIELDING: Activity.YIELDING,
}


class ScreenModel:
    """All that is to be seen. `listening` and `wake_word` are the settings: what it says when it hears nobody."""

    def __init__(self, listening: Listening = Listening.CONTINUOUS, wake_word: str = "") -> None:
        self.listening = listening
        self.wake_word = wake_word
        self.connection = Connection.CONNECTING
        self.trying_s = 0.0
        self.dialogue = Dialogue()
        self.partial = ""
        self.timings_ms: Mapping[str, float] = {}
        self.backends: Mapping[str, str] = {}
        self.microphone = Meter()
        self.loudspeaker = Meter()
        self.is_muted = False
        self.missing: dict[str, str] = {}  # direction and name of devices that are gone
        self.is_heard = listening is Listening.CONTINUOUS
        self._state = State.UNKNOWN
        self._degraded: dict[str, str] = {}  # stage and the last turn in which it failed

    @property
    def activity(self) -> Activity:
        """What goes on: the assistant's doing first, then why it may not hear the person."""
        busy = _BUSY.get(self._state)
        if busy is not None:
            return busy
        if "input" in self.missing:
            return Activity.NO_MICROPHONE
        if self.is_muted:
            return Activity.MUTED
        if self.partial:
            return Activity.HEARING
        if self.is_heard or self.listening is Listening.CONTINUOUS:
            return Activity.LISTENING
        return Activity.WAITING_FOR_KEY if self.listening is Listening.PUSH_TO_TALK else Activity.WAITING_FOR_WORD

    @property
    def degraded(self) -> tuple[str, ...]:
        """The stages that failed lately."""
        return tuple(self._degraded)

    def show(self, event: Event) -> None:
        """The assistant told something, or the client did."""
        turn_id, what = event.turn_id, event.what
        match what:
            case StateChanged(state):
                self._change(state)
            case Transcript():
                self._hear(what, turn_id)
            case ReplyText(delta):
                self.dialogue.go_on(turn_id, printable(delta))
            case Interrupted(heard):
                self.dialogue.cut(turn_id, printable(heard))
            case TurnFinished():
                self._finish(what, turn_id)
            case Degraded(stage, _, message):
                self._degraded[stage] = turn_id
                self.trouble(sentences.of_trouble(sentences.of_stage(stage), message))
            case _:
                self._observe(what)

    def note(self, text: str) -> None:
        """The client has something to say about itself."""
        self.dialogue.add(Who.PROGRAM, printable(text))

    def trouble(self, text: str) -> None:
        """Something that the person should know now."""
        self.dialogue.add(Who.TROUBLE, printable(text))

    def measure(self, microphone_dbfs: float, loudspeaker_dbfs: float, *, is_muted: bool) -> bool:
        """How loud it is, and whether the person wants not to be heard. Tells whether anything looks different now."""
        before = (self.microphone.steps, self.loudspeaker.steps, self.is_muted)
        self.microphone.observe(microphone_dbfs)
        self.loudspeaker.observe(loudspeaker_dbfs)
        self.is_muted = is_muted
        return before != (self.microphone.steps, self.loudspeaker.steps, self.is_muted)

    def _change(self, state: State) -> None:
        self._state = state
        if state is not State.YIELDING:  # there it is just being said
            self.partial = ""

    def _hear(self, heard: Transcript, turn_id: str) -> None:
        text = printable(heard.text)
        if heard.is_final:
            self.partial = ""
            self.dialogue.add(Who.PERSON, text, turn_id)
        else:
            self.partial = text[-_LONGEST_PARTIAL:]

    def _finish(self, finished: TurnFinished, turn_id: str) -> None:
        self.timings_ms, self.backends = finished.timings_ms, finished.backends
        self._degraded = {stage: last for stage, last in self._degraded.items() if last == turn_id}
        if finished.outcome is Outcome.FAILED:
            self.trouble(tr("the turn failed"))

    def _observe(self, what: What) -> None:
        match what:
            case SessionOpened():
                self.connection = Connection.CONNECTED
                self.note(sentences.of_opening(what))
            case ConnectionLost(trying_s):
                self.connection, self.trying_s, self.partial = Connection.LOST, trying_s, ""
                self.trouble(sentences.of_loss(trying_s))
            case HearingChanged(is_heard):
                self.is_heard = is_heard
            case DeviceChanged(direction, name, is_there):
                if is_there:
                    self.missing.pop(direction, None)
                    self.note(sentences.of_device(what))
                else:
                    self.missing[direction] = printable(name)
                    self.trouble(sentences.of_device(what))
