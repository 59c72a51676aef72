"""An engine that does not say anything twice.

What it said is kept in a cache, by the engine, the choice of voice and the words. Callers who want the same at the same
time share one synthesis: it ends when none of them waits for it any more.
"""

import asyncio
import hashlib
import json
import struct
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from services.common.audio import BYTES_PER_SAMPLE, Recording, encode_pcm
from services.common.cache import ResultCache
from services.common.slot import Paced, Watched
from services.common.tasks import wait_for_end
from services.tts.engine import Speech, TtsEngine, Voice, VoiceChoice, Word

_LAYOUT = 1  # of what is kept; another number makes everything kept before unknown
_HEAD = struct.Struct("<II")  # rate and number of words; then the first sample of each word, then the samples


def speech_key(identity: str, words: Sequence[Word], choice: VoiceChoice) -> str:
    """The same for the same sound alone: where in a text the words stand makes no difference."""
    said = [(word.text, word.ipa) for word in words]
    wishes = json.dumps([_LAYOUT, identity, asdict(choice), said], sort_keys=True)
    return hashlib.sha256(wishes.encode()).hexdigest()


def packed(speech: Speech) -> bytes:
    """The speech as bytes."""
    starts = speech.word_starts
    head = _HEAD.pack(speech.recording.sample_rate_hz, len(starts)) + struct.pack(f"<{len(starts)}I", *starts)
    return head + encode_pcm(speech.recording.samples)


def unpacked(value: bytes) -> Speech | None:
    """The speech in the bytes, which are not copied; None where they are none."""
    if len(value) < _HEAD.size:
        return None
    rate_hz, count = _HEAD.unpack_from(value)
    begin = _HEAD.size + 4 * count
    if not rate_hz or begin > len(value) or (len(value) - begin) % BYTES_PER_SAMPLE:
        return None
    starts = struct.unpack_from(f"<{count}I", value, _HEAD.size)
    return Speech(Recording(np.frombuffer(value, "<i2", offset=begin), rate_hz), starts)


def cached_engine(engine: TtsEngine, identity: str, cache: ResultCache) -> "CachedEngine":
    """The engine with this cache. `identity` is what makes it sound as it does: its name and settings."""
    kind = _PacedCachedEngine if isinstance(engine, Paced) else CachedEngine
    return kind(engine, identity, cache)


class CachedEngine:
    """Around any engine. The cache belongs to whoever made it, who closes it."""

    def __init__(self, engine: TtsEngine, identity: str, cache: ResultCache) -> None:
        self._engine = engine
        self._identity = identity
        self._cache = cache
        self._flights: dict[str, _Flight] = {}  # by key

    def voices(self) -> Sequence[Voice]:
        """Those of the engine."""
        return self._engine.voices()

    async def synthesize(self, words: Sequence[Word], choice: VoiceChoice) -> Speech:
        """The spoken words, from the cache where it has them."""
        key = speech_key(self._identity, words, choice)
        flight = self._flights.get(key) or self._begin(key, words, choice)
        flight.waiting += 1
        try:
            return await asyncio.shield(flight.task)
        finally:
            flight.waiting -= 1
            if not flight.waiting and not flight.task.done():
                self._land(key, flight)  # whoever comes now begins anew
                flight.task.cancel()
                await wait_for_end(flight.task)

    @property
    def stuck(self) -> str | None:
        """Why a thread of the engine must be taken for lost, if it must."""
        return self._engine.stuck if isinstance(self._engine, Watched) else None

    async def close(self) -> None:
        """Ends what is under way, and closes the engine."""
        tasks = [flight.task for flight in self._flights.values()]
        for task in tasks:
            task.cancel()
        for task in tasks:
            await wait_for_end(task)
        await self._engine.close()

    def _begin(self, key: str, words: Sequence[Word], choice: VoiceChoice) -> "_Flight":
        flight = _Flight(asyncio.create_task(self._find_or_make(key, words, choice), name="speech"))
        self._flights[key] = flight
        flight.task.add_done_callback(lambda _task: self._land(key, flight))
        return flight

    def _land(self, key: str, flight: "_Flight") -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]

    async def _find_or_make(self, key: str, words: Sequence[Word], choice: VoiceChoice) -> Speech:
        value = await self._cache.get(key)
        if value is not None and (found := unpacked(value)) is not None:
            return found
        speech = await self._engine.synthesize(words, choice)
        await self._cache.put(key, packed(speech))
        return speech


class _PacedCachedEngine(CachedEngine):
    """Apart, because the chain goes by whether an engine can tell at all that it is late."""

    @property
    def is_late(self) -> bool:
        """As the engine says."""
        return isinstance(self._engine, Paced) and self._engine.is_late


@dataclass
class _Flight:
    """A synthesis under way, and how many wait for it."""

    task: "asyncio.Task[Speech]"
    waiting: int = 0
