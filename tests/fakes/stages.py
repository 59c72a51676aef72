"""Scripted stages of a conversation: ears, mind and mouth that say what a test tells them to, when it does."""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field

from services.common.errors import CallError
from services.orchestrator.ports import (
    EarsEvent,
    EarsReady,
    Line,
    ReplyEnd,
    SpeechEnded,
    SpeechHeard,
    SpeechPaused,
    SpeechStarted,
    SpokenAudio,
    Voice,
    WrittenText,
)

AUDIO_A_CHARACTER = b"\x01\x00" * 160  # the scripted mouth speaks at ten milliseconds a character


def heard(utterance: int, text: str, *, is_final: bool = False, tentative: str = "") -> SpeechHeard:
    """A transcript of the scripted ears."""
    return SpeechHeard(utterance, text, is_final, 1.0 if is_final else 0.5, "en", "scripted", tentative)


@dataclass(frozen=True)
class After:
    """This happens once so many bytes more came in the stream. A failure after none happens before it is ready."""

    bytes_more: int
    happens: str | EarsEvent | CallError


@dataclass
class ScriptedEars:
    """Plays its script by how much audio comes, stream after stream: a CallError ends a stream with it.

    A text alone stands for an utterance that is heard from its beginning to its end once `bytes_an_utterance` more
    came, and a CallError for a failure at that point.
    """

    script: list[str | CallError | After]
    bytes_an_utterance: int = 640
    streams: int = 0
    open_streams: int = 0
    audio: bytearray = field(default_factory=bytearray)
    audio_of_streams: list[bytearray] = field(default_factory=list)
    ends_with: CallError | None = None

    async def listen(
        self, audio: AsyncIterator[bytes], sample_rate_hz: int, language_code: str
    ) -> AsyncGenerator[EarsEvent, None]:
        self.streams += 1
        self.open_streams += 1
        stream = _ScriptedStream(self, sample_rate_hz)
        self.audio_of_streams.append(stream.audio)
        try:
            stream.fail_before_it_is_ready()
            yield EarsReady("scripted")
            async for piece in audio:
                self.audio += piece
                stream.audio += piece
                for event in stream.due():
                    yield event
            if self.ends_with is not None:
                raise self.ends_with
        finally:
            self.open_streams -= 1


class _ScriptedStream:
    def __init__(self, ears: ScriptedEars, sample_rate_hz: int) -> None:
        self.audio = bytearray()
        self._ears = ears
        self._bytes_a_ms = 2 * sample_rate_hz / 1000
        self._played_bytes = 0  # of the audio, when the script was played to where it is
        self._utterances = 0

    def fail_before_it_is_ready(self) -> None:
        """Where the script wants it to."""
        match self._ears.script:
            case [After(0, CallError() as error), *_]:
                self._ears.script.pop(0)
                raise error

    def due(self) -> Iterator[EarsEvent]:
        """What of the script is due, for all audio that came."""
        while (step := self._next_step()) is not None:
            if len(self.audio) < self._played_bytes + step.bytes_more:
                return
            self._played_bytes += step.bytes_more
            self._ears.script.pop(0)
            if isinstance(step.happens, CallError):
                raise step.happens
            yield from self._utterance(step.happens) if isinstance(step.happens, str) else (step.happens,)

    def _next_step(self) -> After | None:
        if not self._ears.script:
            return None
        step = self._ears.script[0]
        return step if isinstance(step, After) else After(self._ears.bytes_an_utterance, step)

    def _utterance(self, text: str) -> Iterator[EarsEvent]:
        self._utterances += 1
        number, end_ms = self._utterances, self._played_bytes / self._bytes_a_ms
        final = heard(number, text, is_final=True)
        yield SpeechStarted(number, end_ms - self._ears.bytes_an_utterance / self._bytes_a_ms)
        yield heard(number, text[:3])
        yield SpeechPaused(number, end_ms - 10, final)
        yield final
        yield SpeechEnded(number, end_ms - 10, end_ms)


@dataclass
class ScriptedMind:
    """Replies with the deltas of the script, in turn. `go_on` lets a test hold it between them."""

    script: list[Sequence[str | CallError]]
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    prompts: list[list[Line]] = field(default_factory=list)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.go_on.set()

    async def reply(
        self, conversation_id: str, lines: Sequence[Line], language_code: str
    ) -> AsyncGenerator[str | ReplyEnd, None]:
        self.prompts.append(list(lines))
        self.ended.clear()
        try:
            for delta in self.script.pop(0):
                if isinstance(delta, CallError):
                    raise delta
                yield delta
                await self.go_on.wait()
            yield ReplyEnd("scripted")
        finally:
            self.ended.set()


@dataclass
class ScriptedMouth:
    """Speaks each word as a chunk; fails where the test says so. `go_on` lets a test hold it between them."""

    failure: CallError | None = None
    failure_at_end: CallError | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    voices: list[Voice] = field(default_factory=list)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.go_on.set()

    async def speak(self, text: WrittenText, voice: Voice) -> AsyncGenerator[SpokenAudio, None]:
        self.voices.append(voice)
        self.ended.clear()
        start = 0
        try:
            async for delta in text.read():
                if self.failure is not None:
                    raise self.failure
                for word in re.findall(r"\s*\S+\s*", delta):
                    yield SpokenAudio(AUDIO_A_CHARACTER * len(word), start, start + len(word), "scripted")
                    start += len(word)
                    await self.go_on.wait()
            if self.failure_at_end is not None:
                raise self.failure_at_end
        finally:
            self.ended.set()
