"""Text in, speech out: all of it that has nothing to do with the wire."""

from collections.abc import AsyncGenerator, AsyncIterator

from services.tts.engine import VoiceChoice
from services.tts.intake import FlushText, Intake, phrases_of
from services.tts.reading.plain import ReadingOptions
from services.tts.reading.reader import Reader
from services.tts.reading.ssml import read_ssml
from services.tts.speaker import Speaker
from services.tts.tally import Tally
from services.tts.track import SpokenChunk


class Mouth:
    """One for the process: it holds no state of any caller."""

    def __init__(self, intake: Intake, speaker: Speaker, options: ReadingOptions) -> None:
        self._intake = intake
        self._speaker = speaker
        self._options = options

    def say(
        self, text: AsyncIterator[str | FlushText], choice: VoiceChoice, rate_hz: int | None, tally: Tally
    ) -> AsyncGenerator[SpokenChunk, None]:
        """A text that may still be coming, read in the language of the choice."""
        reader = Reader(choice.language_code, self._options)
        return self._speaker.speak(self._intake.phrases(text, reader.read, tally), choice, rate_hz, tally)

    def say_ssml(
        self, document: str, choice: VoiceChoice, rate_hz: int | None, tally: Tally
    ) -> AsyncGenerator[SpokenChunk, None]:
        """A document. InvalidInputError, before anything is said, where it is broken."""
        tally.receive(document)
        phrases = read_ssml(document, choice.language_code, self._options)
        return self._speaker.speak(phrases_of(phrases), choice, rate_hz, tally)
