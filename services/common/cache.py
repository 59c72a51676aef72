"""Results that a service made before, so that it need not make them twice.

They are kept in this process and nowhere else, unless a Redis is configured (redis_cache.py): a result is as private as
what it was made of, and whoever reads that Redis reads what people said.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter

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

    @classmethod
    def create(cls, registry: CollectorRegistry, service: str) -> "CacheCounts":
        """Counters, registered under the service's name."""
        return cls(
            Counter(f"{service}_cache_hits_total", "Results that were made before", registry=registry).inc,
            Counter(f"{service}_cache_misses_total", "Results that were not", registry=registry).inc,
            Counter(f"{service}_cache_errors_total", "Failures of the Redis cache", registry=registry).inc,
        )


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
