"""The orchestrator's ports over several replicas a stage: whoever uses them sees one of each."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing

from services.orchestrator.patience import Patience
from services.orchestrator.ports import (
    Ears,
    EarsEvent,
    Line,
    Mind,
    Mouth,
    ReplyEnd,
    SpokenAudio,
    Stage,
    Voice,
    WrittenText,
)
from services.orchestrator.replicas import Replicas

_SPEAKABLE_CHARACTERS = 160  # a mouth has cut a first piece out of it: 24 tokens at most


class ReplicatedEars:
    """Several Ears. Each takes audio only once it is ready, so the next one still finds all of it."""

    def __init__(self, replicas: Replicas[Ears], ready_s: float) -> None:
        self._replicas = replicas
        self._ready_s = ready_s

    def listen(
        self, audio: AsyncIterator[bytes], sample_rate_hz: int, language_code: str
    ) -> AsyncGenerator[EarsEvent, None]:
        """What is heard in the audio, until it ends."""
        patience = Patience(Stage.STT, self._ready_s)
        patience.start()
        return self._replicas.stream(lambda ears: ears.listen(audio, sample_rate_hz, language_code), patience)


class ReplicatedMind:
    """Several Minds."""

    def __init__(self, replicas: Replicas[Mind], first_token_s: float) -> None:
        self._replicas = replicas
        self._first_token_s = first_token_s

    def reply(
        self, conversation_id: str, lines: Sequence[Line], language_code: str
    ) -> AsyncGenerator[str | ReplyEnd, None]:
        """The next line, as it is written."""
        patience = Patience(Stage.LLM, self._first_token_s)
        patience.start()
        return self._replicas.stream(lambda mind: mind.reply(conversation_id, lines, language_code), patience)


class ReplicatedMouth:
    """Several Mouths. They are called before there is any text; their time runs once there is enough to speak."""

    def __init__(self, replicas: Replicas[Mouth], first_audio_s: float) -> None:
        self._replicas = replicas
        self._first_audio_s = first_audio_s

    def speak(self, text: WrittenText, voice: Voice) -> AsyncGenerator[SpokenAudio, None]:
        """The audio of a text that is still being written."""
        patience = Patience(Stage.TTS, self._first_audio_s)
        given = _Given(text, patience.start)
        return self._replicas.stream(lambda mouth: mouth.speak(given, voice), patience)


class _Given:
    """A text that tells when enough of it was given to speak: a mind that pauses before is not the mouth's fault."""

    def __init__(self, text: WrittenText, tell: Callable[[], None]) -> None:
        self._text = text
        self._tell = tell

    async def read(self) -> AsyncGenerator[str, None]:
        """What is there, then what is added, until it is complete."""
        given, is_told = "", False
        async with aclosing(self._text.read()) as deltas:
            async for delta in deltas:
                yield delta
                given = "" if is_told else given + delta
                if len(given.strip()) >= _SPEAKABLE_CHARACTERS:
                    is_told = True
                    self._tell()
        if given.strip():
            self._tell()
