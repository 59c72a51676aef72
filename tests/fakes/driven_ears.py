"""Ears that hear what a test says, when it says so; the audio only opens and closes them."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator

from services.common.errors import CallError
from services.common.tasks import cancel_and_wait
from services.orchestrator.ports import (
    EarsEvent,
    EarsReady,
    SpeechEnded,
    SpeechHeard,
    SpeechPaused,
    SpeechResumed,
    SpeechStarted,
)

_BACKEND = "driven"


class DrivenEars:
    """Hears one utterance after the other: `starts`, then partial words, pauses and the end, as told."""

    def __init__(self, language_code: str = "en") -> None:
        self.language_code = language_code
        self.streams = 0
        self.received_bytes = 0
        self.last = b""  # piece of audio
        self._script: asyncio.Queue[EarsEvent | CallError | None] = asyncio.Queue()
        self._utterance = 0

    async def listen(
        self, audio: AsyncIterator[bytes], sample_rate_hz: int, language_code: str
    ) -> AsyncGenerator[EarsEvent, None]:
        self.streams += 1
        yield EarsReady(_BACKEND)
        opened = asyncio.Event()
        listening = asyncio.create_task(self._take(audio, opened))
        try:
            await opened.wait()
            while (event := await self._script.get()) is not None:
                if isinstance(event, CallError):
                    raise event
                yield event
        finally:
            await cancel_and_wait(listening)

    def starts(self) -> None:
        """Somebody begins to speak."""
        self._utterance += 1
        self._script.put_nowait(SpeechStarted(self._utterance, 0))

    def partial(self, text: str, tentative: str = "") -> None:
        """Words while he speaks."""
        heard = SpeechHeard(self._utterance, text, False, 0.5, self.language_code, _BACKEND, tentative)
        self._script.put_nowait(heard)

    def pauses(self, text: str) -> None:
        """He falls silent; this is what he said if that was all."""
        eager = self._final(text) if text else None
        self._script.put_nowait(SpeechPaused(self._utterance, 0, eager))

    def resumes(self) -> None:
        """He goes on."""
        self._script.put_nowait(SpeechResumed(self._utterance))

    def ends(self, text: str) -> None:
        """That was all that he said; an empty text: nothing."""
        if text:
            self._script.put_nowait(self._final(text))
        self._script.put_nowait(SpeechEnded(self._utterance, 0, 0))

    def says(self, text: str) -> None:
        """A whole utterance."""
        self.starts()
        self.pauses(text)
        self.ends(text)

    def fails(self, error: CallError) -> None:
        """The stream breaks; the next one numbers its utterances anew."""
        self._utterance = 0
        self._script.put_nowait(error)

    def _final(self, text: str) -> SpeechHeard:
        return SpeechHeard(self._utterance, text, True, 1.0, self.language_code, _BACKEND)

    async def _take(self, audio: AsyncIterator[bytes], opened: asyncio.Event) -> None:
        async for piece in audio:
            self.received_bytes += len(piece)
            self.last = piece
            opened.set()
        opened.set()
        self._script.put_nowait(None)
