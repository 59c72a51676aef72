"""The pocketsphinx engine: English, no download. The only user of its library.

A decoder holds the state of one utterance, so a small pool of them serves the sessions; each is made when it is first
needed (half a second) and used again.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
from pocketsphinx import Decoder

from services.common.audio import Samples, encode_pcm
from services.common.errors import UnsupportedError
from services.common.text import primary_language
from services.common.threads import run_blocking
from services.stt.engine import ENGINE_RATE_HZ, HeardWord, Hypothesis, RecognitionOptions

_FRAMES_PER_S = 100
_SILENCES = ("<s>", "</s>", "<sil>", "[SPEECH]", "[NOISE]", "[COUGH]", "++")
_WARM_UP_S = 0.5
T = TypeVar("T")


class SphinxEngine:
    """A pool of decoders and the threads that they work in."""

    def __init__(self, decoders: int) -> None:
        self._threads = ThreadPoolExecutor(decoders, thread_name_prefix="sphinx")
        self._free: list[Any] = []
        self._places = asyncio.Semaphore(decoders)

    @classmethod
    async def load(cls, decoders: int) -> "SphinxEngine":
        """Makes a decoder and lets it listen to silence."""
        engine = cls(decoders)
        try:
            session = await engine.open(RecognitionOptions(language_code="en"))
            await session.feed(np.zeros(int(ENGINE_RATE_HZ * _WARM_UP_S), np.int16))
            await session.transcript()
            await session.close()
        except BaseException:
            await engine.close()
            raise
        return engine

    @property
    def language_codes(self) -> tuple[str, ...]:
        """Its model is English."""
        return ("en",)

    async def open(self, options: RecognitionOptions) -> "SphinxSession":
        """Waits for a free decoder."""
        if primary_language(options.language_code or "en") != "en":
            raise UnsupportedError(f"pocketsphinx does not know the language {options.language_code!r}, only English")
        await self._places.acquire()
        try:
            decoder = self._free.pop() if self._free else await self.run(_make_decoder)
        except BaseException:
            self._places.release()
            raise
        return SphinxSession(self, decoder, options.word_timestamps)

    def give_back(self, decoder: Any) -> None:
        """A session does not need its decoder any more."""
        self._free.append(decoder)
        self._places.release()

    async def run(self, work: Callable[[], T]) -> T:
        """Runs blocking work in the engine's threads."""
        return await run_blocking(self._threads, lambda _stop: work())

    async def close(self) -> None:
        """Frees the decoders and ends the threads."""
        self._free.clear()
        self._threads.shutdown(wait=False)


class SphinxSession:
    """One utterance in one decoder.

    Partials come from decoding along while audio comes in. Transcripts come from a second pass over the whole
    utterance, because only then can the decoder level out voice, microphone and room: on people's commands the
    along-the-way pass got 88 % of the words wrong, the second one 50 %.
    """

    def __init__(self, engine: SphinxEngine, decoder: Any, word_timestamps: bool) -> None:
        self._engine = engine
        self._decoder = decoder
        self._word_timestamps = word_timestamps
        self._audio = bytearray()
        self._decodes_along = False
        self._decoded_bytes = 0

    async def feed(self, samples: Samples) -> None:
        """Keeps the samples, and decodes along until the first transcript."""
        self._audio += encode_pcm(samples)
        if self._decodes_along or not self._decoded_bytes:
            await self._engine.run(self._decode_along)

    async def partial(self) -> Hypothesis:
        """The best path so far."""
        return await self._engine.run(self._partial)

    async def transcript(self) -> Hypothesis:
        """The best path of all audio so far, heard again as a whole."""
        return await self._engine.run(self._decode_whole)

    async def close(self) -> None:
        """Gives the decoder back."""
        if self._decoder is None:
            return
        await self._engine.run(self._stop_decoding_along)
        decoder, self._decoder = self._decoder, None
        self._engine.give_back(decoder)

    def _partial(self) -> Hypothesis:
        self._decode_along()
        return self._read()

    def _decode_along(self) -> None:
        if not self._decodes_along:
            self._decodes_along = True
            self._decoded_bytes = 0
            self._decoder.start_utt()
        self._decoder.process_raw(bytes(self._audio[self._decoded_bytes :]))
        self._decoded_bytes = len(self._audio)

    def _decode_whole(self) -> Hypothesis:
        self._stop_decoding_along()
        self._decoder.start_utt()
        self._decoder.process_raw(bytes(self._audio), full_utt=True)
        self._decoder.end_utt()
        return self._read()

    def _stop_decoding_along(self) -> None:
        if self._decodes_along:
            self._decodes_along = False
            self._decoder.end_utt()

    def _read(self) -> Hypothesis:
        best = self._decoder.hyp()
        if best is None:
            return Hypothesis("", language_code="en")
        words = tuple(self._words()) if self._word_timestamps else ()
        return Hypothesis(best.hypstr, language_code="en", words=words)

    def _words(self) -> list[HeardWord]:
        return [
            HeardWord(
                segment.word.partition("(")[0],  # `read(2)` is the second pronunciation of `read`
                segment.start_frame * 1000 / _FRAMES_PER_S,
                (segment.end_frame + 1) * 1000 / _FRAMES_PER_S,
            )
            for segment in self._decoder.seg()
            if not segment.word.startswith(_SILENCES)
        ]


def _make_decoder() -> Any:
    return Decoder(samprate=ENGINE_RATE_HZ, loglevel="FATAL")
