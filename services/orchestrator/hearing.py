"""What the microphone told, as the turn machine takes it: without the assistant's own words."""

from collections.abc import Callable

from services.orchestrator.echo import beyond_echo
from services.orchestrator.microphone import (
    PartialHeard,
    UtteranceBegan,
    UtteranceEnded,
    UtterancePaused,
    UtteranceResumed,
)
from services.orchestrator.ports import SpeechHeard
from services.orchestrator.turn_events import (
    Input,
    Said,
    SpeechBegan,
    SpeechEnded,
    SpeechPaused,
    SpeechResumed,
    WordsHeard,
)
from services.orchestrator.words import words_heard

UtteranceEvent = UtteranceBegan | PartialHeard | UtterancePaused | UtteranceResumed | UtteranceEnded
# The loudspeaker is late behind what its client reports, and the microphone behind the room. Longer, and the answer to
# "tea or coffee?" would pass for its echo.
_ECHO_S = 0.3


class Hearing:
    """Listens to one utterance after the other. `spoken_between`: the assistant's own words, to be guarded against."""

    def __init__(self, spoken_between: Callable[[float, float], str] | None, clock: Callable[[], float]) -> None:
        self._spoken_between = spoken_between
        self._clock = clock
        self._began_at = 0.0

    def understand(self, event: UtteranceEvent) -> Input:
        """The event, for the machine."""
        match event:
            case UtteranceBegan(utterance, began_at):
                self._began_at = began_at
                return SpeechBegan(utterance, began_at)
            case PartialHeard(utterance, heard):
                return self._words(utterance, heard)
            case UtterancePaused(utterance, heard, ended_at):
                return SpeechPaused(utterance, self._said(heard, ended_at, None))
            case UtteranceResumed(utterance):
                return SpeechResumed(utterance)
            case UtteranceEnded(utterance, heard, ended_at, decided_at):
                return SpeechEnded(utterance, self._said(heard, ended_at, decided_at))

    def _words(self, utterance: int, heard: SpeechHeard) -> WordsHeard:
        """One word alone that no second decoding has confirmed is half of another as often as not."""
        text = self.without_echo(f"{heard.text} {heard.tentative}".strip())
        is_sure = len(words_heard(text)) > 1 or bool(words_heard(self.without_echo(heard.text)))
        return WordsHeard(utterance, text, is_sure)

    def without_echo(self, text: str, ended_at: float | None = None) -> str:
        """What of the text the assistant did not say itself while it was heard: until now, or until it ended."""
        if self._spoken_between is None:
            return text
        until = self._clock() if ended_at is None else ended_at + _ECHO_S
        spoken = self._spoken_between(self._began_at - _ECHO_S, until)
        return beyond_echo(text, spoken) if spoken else text

    def _said(self, heard: SpeechHeard | None, ended_at: float, decided_at: float | None) -> Said:
        if heard is None:
            return Said("", said_at=ended_at, decided_at=decided_at)
        text = self.without_echo(heard.text, ended_at)
        return Said(text, False, heard.language_code, ended_at, decided_at, heard.backend)
