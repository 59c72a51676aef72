"""Scripted stages of a conversation: ears, mind and mouth that say what a test tells them to, when it does."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass, field

from services.common.errors import CallError
from services.orchestrator.ports import (
    EarsEvent,
    Line,
    ReplyEnd,
    SpeechEnded,
    SpeechHeard,
    SpokenAudio,
    Voice,
)

AUDIO_A_CHARACTER = b"\x01\x00" * 160  # the scripted mouth speaks at ten milliseconds a character


@dataclass
class ScriptedEars:
    """Hears each text once this much audio came; a CallError in the script ends the stream with it."""

    script: list[str | CallError]
    bytes_an_utterance: int = 640
    streams: int = 0
    heard_bytes: int = 0
    audio: bytearray = field(default_factory=bytearray)
    ends_with: CallError | None = None

    async def listen(
        self, audio: AsyncIterator[bytes], sample_rate_hz: int, language_code: str
    ) -> AsyncGenerator[EarsEvent, None]:
        self.streams += 1
        received = 0
        async for piece in audio:
            self.audio += piece
            received += len(piece)
            if self.script and received >= self.bytes_an_utterance:
                text = self.script.pop(0)
                if isinstance(text, CallError):
                    raise text
                received = 0
                end_ms = len(self.audio) / 2 / sample_rate_hz * 1000
                yield SpeechHeard(text[:3], False, 0.5, "en", "scripted")
                yield SpeechHeard(text, True, 1.0, "en", "scripted")
                yield SpeechEnded(end_ms - 10, end_ms)
        if self.ends_with is not None:
            raise self.ends_with


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
    """Speaks each delta as a chunk; fails where the test says so. `go_on` lets a test hold it between them."""

    failure: CallError | None = None
    failure_at_end: CallError | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    voices: list[Voice] = field(default_factory=list)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.go_on.set()

    async def speak(self, text: AsyncIterator[str], voice: Voice) -> AsyncGenerator[SpokenAudio, None]:
        self.voices.append(voice)
        self.ended.clear()
        start = 0
        try:
            async for delta in text:
                if self.failure is not None:
                    raise self.failure
                yield SpokenAudio(AUDIO_A_CHARACTER * len(delta), start, start + len(delta), "scripted")
                start += len(delta)
                await self.go_on.wait()
            if self.failure_at_end is not None:
                raise self.failure_at_end
        finally:
            self.ended.set()
