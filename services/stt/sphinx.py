"""The pocketsphinx engine: English, no download. The only user of its library.

A decoder holds the state of one utterance, so a small pool serves the sessions; each is made when it is first needed
(half a second, 96 MB) and used again.
"""

import asyncio
from collections.abc import Callable
from functools import cached_property
from typing import Any, TypeVar

from pocketsphinx import Decoder

from services.common.audio import BYTES_PER_SAMPLE, Samples, encode_pcm
from services.common.errors import EngineFailedError, UnsupportedError
from services.common.text import primary_language
from services.common.threads import EngineThreads
from services.stt.engine import ENGINE_RATE_HZ, HeardWord, Hypothesis, RecognitionOptions, Urgency
from services.stt.warm_up import warmed_up

_FRAMES_PER_S = 100
_SILENCES = ("<s>", "</s>", "<sil>", "[SPEECH]", "[NOISE]", "[COUGH]", "++")
# Nobody can stop a decoding. Only one that takes longer than this, and longer still for long audio, hangs.
_HANGS_AFTER_S = 10.0
_AND_PER_SECOND_OF_AUDIO_S = 2.0
T = TypeVar("T")


class _Decoders:
    """What a session decodes with. Two decoders, because what one has heard along the way colours its next hearing."""

    def __init__(self) -> None:
        self.whole = _make_decoder()
        self.at_work = False  # a thread is inside of them, or lost there
        self._along_is_open = False

    @cached_property
    def _along(self) -> Any:
        # Partials read the first pass alone: ending an utterance takes 7 ms instead of 109.
        return _make_decoder(fwdflat=False, bestpath=False)

    def begin_along(self) -> Any:
        """For partials of a new utterance. One that was left open is ended first: nobody waits for it at its end."""
        if self._along_is_open:
            self._along.end_utt()
        self._along_is_open = True
        self._along.start_utt()
        return self._along


class SphinxEngine:
    """A pool of decoders and the threads that they work in."""

    def __init__(self, sessions: int, hangs_after_s: float = _HANGS_AFTER_S) -> None:
        self._hangs_after_s = hangs_after_s
        self._threads = EngineThreads(sessions, "sphinx")
        self._free: list[_Decoders] = []
        self._places = asyncio.Semaphore(sessions)

    @classmethod
    async def load(cls, sessions: int) -> "SphinxEngine":
        """Makes decoders for the first session and lets them listen to silence."""
        return await warmed_up(cls(sessions), RecognitionOptions(language_code="en"))

    @property
    def language_codes(self) -> tuple[str, ...]:
        """Its model is English."""
        return ("en",)

    @property
    def at_once(self) -> int:
        """One: each takes a place, and who speaks needs one too."""
        return 1

    @property
    def stuck(self) -> str | None:
        """Why one of its threads must be taken for lost, if one must."""
        return self._threads.stuck

    async def open(self, options: RecognitionOptions) -> "SphinxSession":
        """Waits for free decoders."""
        if primary_language(options.language_code or "en") != "en":
            raise UnsupportedError(f"pocketsphinx does not know the language {options.language_code!r}, only English")
        if options.translate:
            raise UnsupportedError("pocketsphinx does not translate")
        await self._places.acquire()
        try:
            decoders = self._free.pop() if self._free else await self.run(_Decoders)
        except BaseException:
            self._places.release()
            raise
        return SphinxSession(self, decoders, options.word_timestamps)

    def give_back(self, decoders: _Decoders) -> None:
        """A session does not need its decoders any more."""
        if not decoders.at_work:  # else they are given up: nobody may use them beside the thread that is lost in them
            self._free.append(decoders)
        self._places.release()

    async def run(self, work: Callable[[], T], audio_s: float = 0.0) -> T:
        """Runs blocking work on so much audio in the engine's threads."""
        limit_s = self._hangs_after_s + _AND_PER_SECOND_OF_AUDIO_S * audio_s
        return await self._threads.run(lambda _stop: work(), limit_s)

    async def close(self) -> None:
        """Frees the decoders and ends the threads."""
        self._free.clear()
        self._threads.shutdown(wait=False)


class SphinxSession:
    """One utterance.

    Partials come from decoding along while audio comes in. Transcripts come from a second pass over the whole
    utterance, because only then can the decoder level out voice, microphone and room: of people's commands the
    along-the-way pass got 88 % of the words wrong, the second one 50 %.
    """

    def __init__(self, engine: SphinxEngine, decoders: _Decoders, word_timestamps: bool) -> None:
        self._engine = engine
        self._decoders: _Decoders | None = decoders
        self._word_timestamps = word_timestamps
        self._audio = bytearray()
        self._along: Any = None
        self._decoded_bytes = 0

    async def feed(self, samples: Samples) -> None:
        """Keeps the samples."""
        self._audio += encode_pcm(samples)

    async def partial(self) -> Hypothesis:
        """The best path so far."""
        return await self._run(self._decode_along)

    async def transcript(self, urgency: Urgency) -> Hypothesis:
        """The best path of all audio so far, heard again as a whole."""
        return await self._run(self._decode_whole)

    async def close(self) -> None:
        """Gives the decoders back, at once."""
        decoders, self._decoders = self._decoders, None
        if decoders is not None:
            self._engine.give_back(decoders)

    async def _run(self, decode: Callable[[], Hypothesis]) -> Hypothesis:
        decoders, has_begun = self._open_decoders, False
        if decoders.at_work:
            raise EngineFailedError("a thread of this session does not come back")

        def work() -> Hypothesis:
            nonlocal has_begun
            has_begun = True
            try:
                return decode()
            finally:
                decoders.at_work = False

        decoders.at_work = True
        try:
            return await self._engine.run(work, len(self._audio) / BYTES_PER_SAMPLE / ENGINE_RATE_HZ)
        finally:
            if not has_begun:  # cancelled while it waited for a thread
                decoders.at_work = False

    def _decode_along(self) -> Hypothesis:
        if self._along is None:
            self._along = self._open_decoders.begin_along()
        if self._decoded_bytes < len(self._audio):  # it cannot take nothing
            self._along.process_raw(bytes(self._audio[self._decoded_bytes :]))
            self._decoded_bytes = len(self._audio)
        return self._read(self._along)

    def _decode_whole(self) -> Hypothesis:
        decoder = self._open_decoders.whole
        decoder.start_utt()
        try:
            if self._audio:
                decoder.process_raw(bytes(self._audio), full_utt=True)
        finally:
            decoder.end_utt()
        return self._read(decoder)

    @property
    def _open_decoders(self) -> _Decoders:
        if self._decoders is None:
            raise EngineFailedError("this session is closed")
        return self._decoders

    def _read(self, decoder: Any) -> Hypothesis:
        best = decoder.hyp()
        if best is None:
            return Hypothesis("", language_code="en")
        words = tuple(_words(decoder)) if self._word_timestamps else ()
        return Hypothesis(best.hypstr, language_code="en", words=words)


def _words(decoder: Any) -> list[HeardWord]:
    return [
        HeardWord(
            segment.word.partition("(")[0],  # `read(2)` is the second pronunciation of `read`
            segment.start_frame * 1000 / _FRAMES_PER_S,
            (segment.end_frame + 1) * 1000 / _FRAMES_PER_S,
        )
        for segment in decoder.seg()
        if not segment.word.startswith(_SILENCES)
    ]


def _make_decoder(**options: bool) -> Any:
    return Decoder(samprate=ENGINE_RATE_HZ, loglevel="FATAL", **options)
