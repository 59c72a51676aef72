"""Transcripts of recordings, the second time from the cache."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing

from pydantic import TypeAdapter

from services.common.audio import Recording
from services.common.cache import ResultCache
from services.common.chain import EngineChain
from services.stt.endpointing import Endpointing
from services.stt.engine import RecognitionOptions, SttEngine
from services.stt.events import Heard
from services.stt.metrics import SttMetrics
from services.stt.recordings import Progress, RecordingTranscript, Transcriber
from services.stt.result_key import result_key
from services.stt.segmenter import Segmenter

_STORED = TypeAdapter(RecordingTranscript)


class Transcripts:
    """Asks the cache first, and tells it what is new."""

    def __init__(
        self,
        chain: EngineChain[SttEngine],
        metrics: SttMetrics,
        cache: ResultCache,
        engines: Mapping[str, str],
        limit_s: float,
    ) -> None:
        """`engines` tells by its name what makes an engine's transcripts what they are: model and settings."""
        self._chain = chain
        self._metrics = metrics
        self._cache = cache
        self._engines = engines
        self._limit_s = limit_s

    async def of(
        self,
        recording: Recording,
        options: RecognitionOptions,
        endpointing: Endpointing,
        make_segmenter: Callable[[Endpointing], Segmenter],
    ) -> AsyncGenerator[Heard | Progress | RecordingTranscript, None]:
        """Each stretch of speech as it is understood, and at last the whole."""
        best = self._chain.best().backend
        engine = f"{best}: {self._engines[best]}"
        key = await asyncio.to_thread(result_key, recording, engine, options, endpointing)
        stored = await self._cache.get(key)
        if stored is not None:
            for step in _retold(_STORED.validate_json(stored)):
                yield step
            return
        transcriber = Transcriber(self._chain, self._metrics, options, self._limit_s)
        async with aclosing(transcriber.transcribe(recording, make_segmenter(endpointing))) as steps:
            async for step in steps:
                # What a lesser engine understood is not kept as the better one's.
                if isinstance(step, RecordingTranscript) and set(step.backends) <= {best}:
                    await self._cache.put(key, _STORED.dump_json(step))
                yield step


def _retold(transcript: RecordingTranscript) -> list[Heard | Progress | RecordingTranscript]:
    done = Progress(transcript.duration_ms, transcript.duration_ms)
    return [Progress(0, transcript.duration_ms), *transcript.segments, done, transcript]
