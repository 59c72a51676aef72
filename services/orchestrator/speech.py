"""The audio of one reply: spoken while the text is written, and sent no faster than it is played.

It is held while somebody else speaks, and taken up again after a lost connection.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Protocol

from services.common.audio import BYTES_PER_SAMPLE, encode_pcm
from services.common.errors import LimitExceededError
from services.common.tone import soft_tone
from services.orchestrator.events import HoldMode, ReplyAudio, Telling
from services.orchestrator.marks import Marks
from services.orchestrator.playback import FILLER, Playback
from services.orchestrator.ports import Mouth, SpokenAudio, Voice, WrittenText
from services.orchestrator.text_flow import TextFlow

_LOOK_EVERY_S = 0.25  # at a playback of which nothing was heard


class Listener(Protocol):
    """Whoever hears the reply: a turn's outlet."""

    async def room(self) -> None:
        """Waits until more may be told."""

    def tell(self, telling: Telling) -> None:
        """Tells it."""


@dataclass(frozen=True)
class SpeechLimits:
    """How the audio of replies is sent."""

    ahead_s: float = 2.0
    stall_s: float = 5.0
    hold: HoldMode = HoldMode.PAUSE


class PlaybackStalledError(LimitExceededError):
    """The client plays nothing of what it was sent."""

    reason = "PLAYBACK_STALLED"


class ReplySpeech:
    """Speaks one reply."""

    def __init__(
        self,
        mouth: Mouth,
        voice: Voice,
        playback: Playback,
        limits: SpeechLimits,
        marks: Marks,
        clock: Callable[[], float],
    ) -> None:
        self.playback = playback
        self.backend = ""
        self._mouth = mouth
        self._voice = voice
        self._limits = limits
        self._marks = marks
        self._clock = clock
        self._may_sound = asyncio.Event()  # neither a draft nor held
        self._moved = asyncio.Event()  # the client played something, or the reply may go on
        self._one_speaks = asyncio.Lock()  # nobody speaks into a filler
        self._sequence = 0
        self._spoken_end = 0  # all words before this place of the text were made into audio

    def let_sound(self) -> None:
        """From now on it may be heard."""
        self._marks.silenced = None
        self.playback.go_on(self._clock())
        self._may_sound.set()
        self._moved.set()

    def hold(self) -> None:
        """Nothing of it is heard for now; or only softly, then it goes on."""
        if self._limits.hold is HoldMode.PAUSE:
            self._marks.silenced = self._clock()
            self._may_sound.clear()
            self.playback.hold(self._clock())

    def played(self, samples: int) -> None:
        """The client's report."""
        self.playback.reported(samples, self._clock())
        self._moved.set()

    async def speak(self, text: WrittenText, listener: Listener) -> None:
        """Speaks the text until all was played. Where it was cut off before, it goes on with what was not played."""
        begins_at = self._spoken_end
        for chunk in self.playback.unplayed_before(begins_at, self._clock()):
            await listener.room()
            listener.tell(self._numbered(chunk))
        async with aclosing(self._mouth.speak(_Rest(text, begins_at), self._voice)) as chunks:
            async for spoken in chunks:
                async with self._one_speaks:
                    await self._send(spoken, begins_at, listener)
        await self._until_played()

    async def speak_filler(self, filler: str, not_before: float, listener: Listener) -> bool:
        """Says something else if there is nothing to hear by then; tells whether it did."""
        await asyncio.sleep(max(0.0, not_before - self._clock()))
        await self._may_sound.wait()
        async with self._one_speaks:
            if self.playback.sent_samples:
                return False
            text = TextFlow(filler)
            text.end()
            async with aclosing(self._mouth.speak(text, self._voice)) as chunks:
                async for spoken in chunks:
                    await self._send_audio(spoken.audio, FILLER, listener)
        return True

    async def sound_tone(self, listener: Listener) -> None:
        """Instead of words that nobody can speak."""
        tone = encode_pcm(soft_tone(self._voice.sample_rate_hz))
        await self._send_audio(tone, (self._spoken_end, self._spoken_end), listener)
        await self._until_played()

    async def _until_played(self) -> None:
        while not self.playback.is_over(self._clock()):
            await self._wait(self.playback.ahead_s(self._clock()))

    async def _send(self, spoken: SpokenAudio, begins_at: int, listener: Listener) -> None:
        span = (begins_at + spoken.span_start, begins_at + spoken.span_end)
        if spoken.piece == 0 and begins_at == 0:
            self._marks.clause_spoken(span[1])
        self.backend = spoken.backend
        sent_at = await self._send_audio(spoken.audio, span, listener)
        if self._marks.first_audio is None:
            self._marks.first_audio = sent_at
        self._spoken_end = max(self._spoken_end, span[0])  # of this word more may come

    async def _send_audio(self, audio: bytes, span: tuple[int, int], listener: Listener) -> float:
        """Tells when it was sent."""
        await self._may_send(len(audio) // BYTES_PER_SAMPLE / self._voice.sample_rate_hz, listener)
        chunk, now = self._numbered(ReplyAudio(audio, 0, self.playback.sent_samples, *span)), self._clock()
        self.playback.sent(chunk, now)
        listener.tell(chunk)
        return now

    def _numbered(self, chunk: ReplyAudio) -> ReplyAudio:
        self._sequence += 1
        return replace(chunk, sequence=self._sequence - 1)

    async def _may_send(self, duration_s: float, listener: Listener) -> None:
        """Waits until this much more may be sent: it may sound, the client reads, and has played what was before."""
        while True:
            await self._may_sound.wait()
            await listener.room()
            ahead_s = self.playback.ahead_s(self._clock())
            excess_s = min(ahead_s, ahead_s + duration_s - self._limits.ahead_s)
            if self._may_sound.is_set() and excess_s <= 0:
                return
            await self._wait(excess_s)

    async def _wait(self, at_most_s: float) -> None:
        """Until the client has played something, or would have without a report."""
        if self.playback.stalled_s(self._clock()) > self._limits.stall_s:
            raise PlaybackStalledError(f"nothing of the reply was played for {self._limits.stall_s:g} s")
        self._moved.clear()
        try:
            async with asyncio.timeout(min(max(at_most_s, 0.005), _LOOK_EVERY_S)):
                await self._moved.wait()
        except TimeoutError:
            return


class _Rest:
    """A text without its beginning, which was spoken before."""

    def __init__(self, text: WrittenText, begins_at: int) -> None:
        self._text = text
        self._begins_at = begins_at

    async def read(self) -> AsyncGenerator[str, None]:
        """What follows."""
        to_skip = self._begins_at
        async with aclosing(self._text.read()) as parts:
            async for part in parts:
                if len(part) > to_skip:
                    yield part[to_skip:]
                to_skip = max(0, to_skip - len(part))
