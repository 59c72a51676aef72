"""Transcripts of recordings that were transcribed before, so that the same file is not listened to twice.

They are kept in this process and nowhere else, unless a Redis is configured (redis_store.py): a transcript is as
private as the recording, and whoever reads that Redis reads what was said.
"""

import hashlib
import json
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Protocol

from services.common.audio import Recording
from services.stt.endpointing import Endpointing
from services.stt.engine import RecognitionOptions

_LAYOUT = 2  # of what is kept; another number makes everything kept before unknown
_ENTRY_BYTES = 300  # what Python takes for an entry beside its value


class ResultCache(Protocol):
    """Keeps results by their keys. It may forget any of them at any time, and it never fails."""

    async def get(self, key: str) -> bytes | None:
        """What was kept, if it is still there."""

    async def put(self, key: str, value: bytes) -> None:
        """Keeps it for a while."""

    async def close(self) -> None:
        """Gives back what it holds."""


@dataclass(frozen=True)
class CacheCounts:
    """Who counts what a cache does."""

    hit: Callable[[], None]
    miss: Callable[[], None]
    error: Callable[[], None]


def result_key(recording: Recording, engine: str, options: RecognitionOptions, endpointing: Endpointing) -> str:
    """The same for the same sound, engine and wishes alone. An hour of audio takes a tenth of a second: in a thread."""
    wishes = {
        "layout": _LAYOUT,
        "rate": recording.sample_rate_hz,
        "engine": engine,
        "options": asdict(options),
        "endpointing": asdict(endpointing),
    }
    digest = hashlib.sha256(json.dumps(wishes, sort_keys=True).encode())
    digest.update(recording.samples.data)
    return digest.hexdigest()


@dataclass(frozen=True)
class _Entry:
    value: bytes
    expires_s: float

    @property
    def size_bytes(self) -> int:
        return len(self.value) + _ENTRY_BYTES


class MemoryCache:
    """Keeps results in this process; when it is full, the one that was not asked for the longest goes."""

    def __init__(
        self, counts: CacheCounts, max_bytes: int, ttl_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._counts = counts
        self._max_bytes = max_bytes
        self._ttl_s = ttl_s
        self._clock = clock
        self._entries: OrderedDict[str, _Entry] = OrderedDict()  # the longest unasked for first
        self.size_bytes = 0

    async def get(self, key: str) -> bytes | None:
        """What was kept, if it is still there."""
        entry = self._entries.get(key)
        if entry is not None and entry.expires_s <= self._clock():
            self._drop(key)
            entry = None
        if entry is None:
            self._counts.miss()
            return None
        self._entries.move_to_end(key)
        self._counts.hit()
        return entry.value

    async def put(self, key: str, value: bytes) -> None:
        """Keeps it for a while, unless it is larger than the whole cache may be."""
        self._drop(key)
        entry = _Entry(value, self._clock() + self._ttl_s)
        if entry.size_bytes > self._max_bytes:
            return
        self._entries[key] = entry
        self.size_bytes += entry.size_bytes
        while self.size_bytes > self._max_bytes:
            self._drop(next(iter(self._entries)))

    async def close(self) -> None:
        """Forgets everything."""
        self._entries.clear()
        self.size_bytes = 0

    def _drop(self, key: str) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self.size_bytes -= entry.size_bytes
