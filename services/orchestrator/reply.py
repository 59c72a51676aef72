"""One reply: the language model writes it, the mouth speaks it while it is being written."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field

from services.common.errors import CallError, DeadlineError, UnusableAnswerError
from services.orchestrator.events import Degraded, ReplyText, Telling, Timings
from services.orchestrator.marks import Marks
from services.orchestrator.outbox import Outlet
from services.orchestrator.ports import Line, Mind, ReplyEnd, Stage
from services.orchestrator.speech import PlaybackStalledError, ReplySpeech
from services.orchestrator.text_flow import TextFlow
from services.orchestrator.turn_events import Outcome, Said

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ReplyOrder:
    """What a reply is to be made of. With a `script` that is said, and the mind is not asked."""

    conversation_id: str
    lines: list[Line]
    language_code: str
    apology: str
    script: str = ""
    filler: str = ""
    filler_at: float = 0.0


@dataclass
class Reply:
    """A reply in the making, and what came of it. `speech` is None where the client wants text alone."""

    mind: Mind
    speech: ReplySpeech | None
    order: ReplyOrder
    marks: Marks
    clock: Callable[[], float]
    outcome: Outcome = Outcome.COMPLETED
    llm_backend: str = ""
    was_filled: bool = False
    was_stalled: bool = False
    _flow: TextFlow = field(default_factory=TextFlow)
    _text: str = ""
    _own_end: int | None = None  # where the mind's own text ends and an apology of ours begins
    _untold: list[Degraded] = field(default_factory=list)  # while nobody hears it
    _outlet: Outlet | None = None
    _is_told: asyncio.Event = field(default_factory=asyncio.Event)

    def tell_to(self, outlet: Outlet) -> None:
        """It is wanted: what is there is told, and what comes."""
        self._outlet = outlet
        self._is_told.set()
        while self._untold:
            self.tell(self._untold.pop(0))
        if self.speech is not None:
            self.speech.let_sound()

    def tell_nobody(self) -> None:
        """Nobody hears it for now."""
        self._is_told.clear()

    @property
    def is_written(self) -> bool:
        """Whether there is anything to give, without thinking again."""
        return bool(self._text)

    def begin_anew(self) -> None:
        """Nothing was written of it, and it is to be thought of again."""
        self._flow = TextFlow()

    def break_off(self) -> None:
        """No more is written of it, which is said."""
        self._apologise(DeadlineError("the reply was given up while nobody heard it", reason="GIVEN_UP"))

    async def think(self) -> None:
        """Has it written, to its end. A mind that fails is told, and what there is to say then is said."""
        flow = self._flow
        try:
            if self.order.script:
                self._own_end = 0
                self._write(self.order.script)
            else:
                await self._ask_the_mind()
        except Exception:
            self.outcome = Outcome.FAILED
            raise
        finally:
            flow.end()

    async def give(self) -> None:
        """Tells and speaks it, until all of it was played. After a lost connection it is given again."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._tell_text())
            if self.speech is not None:
                await self._speak(self.speech, group)

    async def room(self) -> None:
        """Waits until somebody is there, and reads."""
        await self._is_told.wait()
        if self._outlet is not None:
            await self._outlet.room()

    def tell(self, telling: Telling) -> None:
        """Tells it to whoever is there."""
        if self._outlet is not None and self._is_told.is_set():
            self._outlet.tell(telling)

    def written_text(self) -> str:
        """What the mind itself wrote, without an apology of ours."""
        return self._text[: self._own_end].strip()

    def heard_text(self) -> str:
        """The part of it that was heard; all of it where there is no audio."""
        if self.speech is None:
            return self.written_text()
        return self._text[: self._own_end][: self.speech.playback.heard_end(self.clock())].strip()

    def timings(self, said: Said, now: float) -> Timings:
        """Where its time went."""
        return self.marks.timings(said, self.speech.playback.first_heard_at if self.speech else None, now)

    def backends(self, said: Said) -> dict[Stage, str]:
        """Who made it."""
        names = {
            Stage.STT: said.backend,
            Stage.LLM: self.llm_backend,
            Stage.TTS: self.speech.backend if self.speech else "",
        }
        return {stage: name for stage, name in names.items() if name}

    def text_between(self, begin: float, end: float) -> str:
        """What was being played between two moments."""
        if self.speech is None:
            return ""
        playback = self.speech.playback
        first, last = playback.span_between(begin, end)
        filler = self.order.filler if playback.was_filling_between(begin, end) else ""
        return f"{filler} {self._text[first:last]}".strip()

    async def _ask_the_mind(self) -> None:
        order = self.order
        try:
            async with aclosing(self.mind.reply(order.conversation_id, order.lines, order.language_code)) as deltas:
                async for delta in deltas:
                    if isinstance(delta, ReplyEnd):
                        self.llm_backend = delta.backend
                        self.marks.reply_complete = self.clock()
                    elif delta:
                        self._write(delta)
            if not self._text.strip():
                raise UnusableAnswerError("the language model wrote nothing", reason="EMPTY_REPLY")
        except CallError as error:
            self._apologise(error)

    def _apologise(self, error: CallError) -> None:
        self._own_end = len(self._text)
        self._degraded(Stage.LLM, error)
        self._write(f" {self.order.apology}" if self._text else self.order.apology)

    def _write(self, text: str) -> None:
        self._text += text
        self.marks.grew(len(self._text), self.clock())
        self._flow.append(text)

    async def _tell_text(self) -> None:
        async with aclosing(self._flow.read()) as parts:
            async for part in parts:
                await self.room()
                self.tell(ReplyText(part))

    async def _speak(self, speech: ReplySpeech, group: asyncio.TaskGroup) -> None:
        filling = group.create_task(self._fill_in(speech))
        try:
            try:
                await speech.speak(self._flow, self)
                if not speech.playback.sent_samples:  # nothing in it can be said
                    await speech.sound_tone(self)
            except CallError as error:
                if isinstance(error, PlaybackStalledError):
                    raise
                self._degraded(Stage.TTS, error)
                await speech.sound_tone(self)
        except PlaybackStalledError as error:
            self.was_stalled = True
            self._degraded(Stage.PLAYBACK, error)
        finally:
            filling.cancel()

    async def _fill_in(self, speech: ReplySpeech) -> None:
        order = self.order
        if not order.filler:
            return
        try:
            self.was_filled = await speech.speak_filler(order.filler, order.filler_at, self)
        except CallError as error:  # the reply itself says so, if it cannot be spoken either
            _log.info("no filler: %s", error.detailed_reason)

    def _degraded(self, stage: Stage, error: CallError) -> None:
        self.outcome = Outcome.FAILED
        degraded = Degraded(stage, error.detailed_reason, error.message)
        if self._is_told.is_set():
            self.tell(degraded)
        else:
            self._untold.append(degraded)
