"""One reply: the language model writes it, the mouth speaks it while it is being written."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field

from services.common.audio import BYTES_PER_SAMPLE
from services.common.errors import CallError
from services.orchestrator.events import Degraded, Outcome, ReplyAudio, ReplyText, Telling, Timings
from services.orchestrator.ports import Line, ReplyEnd, SpokenAudio, Stage, Stages, Voice

Tell = Callable[[Telling], Awaitable[None]]


@dataclass(frozen=True)
class ReplyOrder:
    """What a reply is to be made of. `voice` is None where the client wants text alone."""

    conversation_id: str
    lines: list[Line]
    language_code: str
    voice: Voice | None
    apology: str


@dataclass
class Reply:
    """A reply in the making, and what came of it."""

    stages: Stages
    order: ReplyOrder
    tell: Tell
    began_at: float
    timings: Timings = field(default_factory=Timings)
    backends: dict[Stage, str] = field(default_factory=dict)
    text: str = ""
    outcome: Outcome = Outcome.COMPLETED
    played_samples: int = 0
    _spans: list[tuple[int, int]] = field(default_factory=list)  # first sample, and the end of the text it speaks
    _samples: int = 0
    _apology_at: int | None = None
    _growth: list[tuple[int, float]] = field(default_factory=list)  # length of the text, and when it was so long

    async def run(self) -> None:
        """Makes it. A stage that fails is told, and the rest goes on."""
        # Unbounded: what waits in it stands in `text` as well, and a mouth that fails must not hold up the mind.
        to_speak: asyncio.Queue[str | None] = asyncio.Queue()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._think(to_speak))
            if self.order.voice is not None:
                group.create_task(self._speak(to_speak, self.order.voice))

    def written_text(self) -> str:
        """What the mind itself wrote, without an apology of ours."""
        return self.text[: self._apology_at].strip()

    def heard_text(self) -> str:
        """The part of it whose audio was played, by the client's reports; all of it where there is no audio."""
        if self.order.voice is None:
            return self.written_text()
        ends = [end for first_sample, end in self._spans if first_sample < self.played_samples]
        return self.text[: self._apology_at][: ends[-1]].strip() if ends else ""

    async def _think(self, to_speak: asyncio.Queue[str | None]) -> None:
        try:
            await self._write(to_speak)
        except CallError as error:
            await self._degraded(Stage.LLM, error)
            self._apology_at = len(self.text)
            await self._say(f" {self.order.apology}" if self.text else self.order.apology, to_speak)
        to_speak.put_nowait(None)

    async def _write(self, to_speak: asyncio.Queue[str | None]) -> None:
        order = self.order
        async with aclosing(self.stages.mind.reply(order.conversation_id, order.lines, order.language_code)) as deltas:
            async for delta in deltas:
                if isinstance(delta, ReplyEnd):
                    self.backends[Stage.LLM] = delta.backend
                    self.timings.reply_complete_ms = self._elapsed_ms()
                    continue
                if self.timings.first_token_ms is None:
                    self.timings.first_token_ms = self._elapsed_ms()
                await self._say(delta, to_speak)

    async def _say(self, delta: str, to_speak: asyncio.Queue[str | None]) -> None:
        self.text += delta
        if self.timings.first_audio_ms is None:
            self._growth.append((len(self.text), self._elapsed_ms()))
        to_speak.put_nowait(delta)
        await self.tell(ReplyText(delta))

    async def _speak(self, to_speak: asyncio.Queue[str | None], voice: Voice) -> None:
        sequence = 0
        try:
            async with aclosing(self.stages.mouth.speak(_drained(to_speak), voice)) as chunks:
                async for chunk in chunks:
                    await self._send(chunk, sequence)
                    sequence += 1
        except CallError as error:
            await self._degraded(Stage.TTS, error)

    async def _send(self, chunk: SpokenAudio, sequence: int) -> None:
        if self.timings.first_audio_ms is None:
            self.timings.first_audio_ms = self._elapsed_ms()
        if chunk.piece == 0:
            # The first clause is what the mouth took for one; it was complete when the text had grown to its end.
            self.timings.first_clause_ms = next((at for end, at in self._growth if end >= chunk.span_end), None)
        self.backends[Stage.TTS] = chunk.backend
        self._spans.append((self._samples, chunk.span_end))
        await self.tell(ReplyAudio(chunk.audio, sequence, self._samples, chunk.span_start, chunk.span_end))
        self._samples += len(chunk.audio) // BYTES_PER_SAMPLE

    async def _degraded(self, stage: Stage, error: CallError) -> None:
        self.outcome = Outcome.FAILED
        await self.tell(Degraded(stage, error.detailed_reason, error.message))

    def _elapsed_ms(self) -> float:
        return (time.monotonic() - self.began_at) * 1000


async def _drained(queue: "asyncio.Queue[str | None]") -> AsyncIterator[str]:
    while (delta := await queue.get()) is not None:
        yield delta
