"""An engine that does not say anything twice.

What it said is kept in a cache, by who spoke, how, and the words. Callers who want the same at the same time share one
synthesis: it ends when none of them waits for it any more. It keeps its place in the queue when somebody joins it for
whom it is urgent: it is ahead of him already.
"""

import asyncio
import hashlib
import json
import struct
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np

from services.common.attempt import is_callers_affair
from services.common.audio import BYTES_PER_SAMPLE, MAX_RATE_HZ, MIN_RATE_HZ, Recording, encode_pcm
from services.common.cache import ResultCache
from services.common.errors import UnusableAnswerError
from services.common.tasks import wait_for_end
from services.tts.engine import Speech, Voice, VoiceChoice, Word
from services.tts.queued import QueuedEngine

_LAYOUT = 2  # of what is kept; another number makes everything kept before unknown
# Rate, number of words, bytes of the voice's name; then the first sample of each word, the samples, the name.
_HEAD = struct.Struct("<III")


def speech_key(identity: str, words: Sequence[Word], choice: VoiceChoice) -> str:
    """The same for the same sound: where the words stand, and by which name the voice was found, does not matter."""
    said = [(word.text, word.ipa) for word in words]
    manner = asdict(replace(choice, language_code="", voice=""))
    wishes = json.dumps([_LAYOUT, identity, manner, said], sort_keys=True)
    return hashlib.sha256(wishes.encode()).hexdigest()


def packed(speech: Speech) -> bytes:
    """The speech as bytes."""
    starts, name = speech.word_starts, speech.voice.encode()
    head = _HEAD.pack(speech.recording.sample_rate_hz, len(starts), len(name))
    return head + struct.pack(f"<{len(starts)}I", *starts) + encode_pcm(speech.recording.samples) + name


def unpacked(value: bytes) -> Speech | None:
    """The speech in the bytes, which are not copied; None where they are none."""
    if len(value) < _HEAD.size:
        return None
    rate_hz, words, name_bytes = _HEAD.unpack_from(value)
    begin, end = _HEAD.size + 4 * words, len(value) - name_bytes
    if not MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ or begin > end or (end - begin) % BYTES_PER_SAMPLE:
        return None
    count = (end - begin) // BYTES_PER_SAMPLE
    starts = struct.unpack_from(f"<{words}I", value, _HEAD.size)
    if list(starts) != sorted(starts) or max(starts, default=0) > count:
        return None
    samples = np.frombuffer(value, "<i2", count, begin)
    return Speech(Recording(samples, rate_hz), value[end:].decode(errors="replace"), starts)


class CachedEngine:
    """Around any engine with its queue. The cache belongs to whoever made it, who closes it."""

    def __init__(self, engine: QueuedEngine, cache: ResultCache) -> None:
        self._engine = engine
        self._cache = cache
        self._flights: dict[str, _Flight] = {}  # by key

    def voices(self) -> Sequence[Voice]:
        """Those of the engine."""
        return self._engine.voices()

    def identity(self, choice: VoiceChoice) -> str:
        """As the engine says."""
        return self._engine.identity(choice)

    async def synthesize(self, words: Sequence[Word], choice: VoiceChoice, urgent: bool = False) -> Speech:
        """The spoken words, from the cache where it has them."""
        key = speech_key(self._engine.identity(choice), words, choice)
        flight = self._flights.get(key) or self._begin(key, words, choice, urgent)
        flight.waiting += 1
        try:
            return await asyncio.shield(flight.task)
        except Exception as error:
            if is_callers_affair(error) or not flight.has_failed:
                flight.has_failed = True
                raise
            # One of those who shared it has been told: the engine failed once, not once for each of them.
            raise UnusableAnswerError(f"what another caller waits for as well failed: {error}") from error
        finally:
            flight.waiting -= 1
            if not flight.waiting and not flight.task.done():
                self._land(key, flight)  # whoever comes now begins anew
                flight.task.cancel()
                await wait_for_end(flight.task)

    @property
    def is_late(self) -> bool:
        """Whether something is spoken beyond its limit."""
        return self._engine.is_late

    @property
    def stuck(self) -> str | None:
        """Why a thread of the engine must be taken for lost, if it must."""
        return self._engine.stuck

    async def close(self) -> None:
        """Ends what is under way, and closes the engine."""
        tasks = [flight.task for flight in self._flights.values()]
        for task in tasks:
            task.cancel()
        for task in tasks:
            await wait_for_end(task)
        await self._engine.close()

    def _begin(self, key: str, words: Sequence[Word], choice: VoiceChoice, urgent: bool) -> "_Flight":
        flight = _Flight(asyncio.create_task(self._find_or_make(key, words, choice, urgent), name="speech"))
        self._flights[key] = flight
        flight.task.add_done_callback(lambda _task: self._land(key, flight))
        return flight

    def _land(self, key: str, flight: "_Flight") -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]

    async def _find_or_make(self, key: str, words: Sequence[Word], choice: VoiceChoice, urgent: bool) -> Speech:
        value = await self._cache.get(key)
        if value is not None and (found := unpacked(value)) is not None:
            return found
        speech = await self._engine.synthesize(words, choice, urgent)
        await self._cache.put(key, packed(speech))
        return speech


@dataclass
class _Flight:
    """A synthesis under way, and how many wait for it."""

    task: "asyncio.Task[Speech]"
    waiting: int = 0
    has_failed: bool = False  # and one of them has been told
