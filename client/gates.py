"""Which gate stands before the microphone, and the person's own way to shut it."""

from client.config import ClientSection, Listening
from client.events import Event
from client.hearing import NOTHING, AlwaysOpen, Gate
from client.push_to_talk import PushToTalk
from services.common.audio import Samples


class MutableGate(Gate):
    """Another gate, and nothing passes while it is muted."""

    def __init__(self, gate: Gate) -> None:
        self.is_muted = False
        self._gate = gate

    @property
    def reason(self) -> str:
        """Why it is as it is."""
        return "muted" if self.is_muted else self._gate.reason

    @property
    def is_hearing(self) -> bool:
        """Whether the assistant hears the microphone at the moment."""
        return not self.is_muted and self._gate.is_hearing

    def is_open(self, heard: Samples) -> bool:
        """What is heard while it is muted goes nowhere, and opens nothing."""
        return not self.is_muted and self._gate.is_open(heard)

    def admit(self, heard: Samples) -> Samples:
        """What goes to the assistant."""
        return NOTHING if self.is_muted else self._gate.admit(heard)

    def observe(self, event: Event) -> None:
        """The assistant told something."""
        self._gate.observe(event)

    def press(self) -> None:
        """The person wants to speak, so it is muted no more."""
        was_muted, self.is_muted = self.is_muted, False
        if not (was_muted and self._gate.is_hearing):  # else the key would shut what it is to open
            self._gate.press()


def gate_of(client: ClientSection) -> MutableGate:
    """As the settings say."""
    match client.listen:
        case Listening.PUSH_TO_TALK:
            return MutableGate(PushToTalk())
        case Listening.WAKE_WORD:
            from client.audio.wake_model import WakeModel  # noqa: PLC0415  # not everywhere there is one
            from client.wake_word import WakeWord  # noqa: PLC0415

            return MutableGate(WakeWord(WakeModel.load(client.wake_word), client.stay_open_s))
        case _:
            return MutableGate(AlwaysOpen())
