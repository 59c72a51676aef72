"""A cache of results in a Redis, shared by several processes and kept over restarts. The only user of its library.

It is a help, never a need: a Redis that is away or slow costs a request `limit_s` at the most, and is then left alone
for a while. Every value goes by itself after `ttl_s`; how much all of them may take is the Redis's own `maxmemory`.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from services.common.breaker import BreakerState, CircuitBreaker
from services.common.cache import CacheCounts
from services.common.errors import SettingsError

_log = logging.getLogger(__name__)
T = TypeVar("T")
_LEFT_ALONE_S = 5.0


@dataclass(frozen=True)
class RedisShelf:
    """Where in which Redis, how long and how much."""

    url: str = field(repr=False)  # it may hold a password
    prefix: str  # of all keys, such as "superwhisper:stt:"
    ttl_s: float
    max_value_bytes: int = 8 * 2**20  # what crosses a loopback socket in far less than the limit
    limit_s: float = 0.05


class RedisCache:
    """Keeps results in a Redis."""

    def __init__(self, shelf: RedisShelf, counts: CacheCounts, clock: Callable[[], float] = time.monotonic) -> None:
        self._counts = counts
        self._shelf = shelf
        self._ttl_ms = max(1, round(shelf.ttl_s * 1000))
        # One failure opens it, or a request would pay for looking and for keeping.
        self._breaker = CircuitBreaker(failures_to_open=1, open_for_s=_LEFT_ALONE_S, clock=clock)
        try:
            # Its own time-outs close a connection on which nothing comes; its retries would multiply them.
            self._client = Redis.from_url(
                shelf.url,
                socket_timeout=shelf.limit_s,
                socket_connect_timeout=shelf.limit_s,
                retry=Retry(NoBackoff(), 0),
            )
        except ValueError as error:  # the URL is not repeated: see above
            raise SettingsError("the URL of the Redis cache is none; write redis://HOST:PORT/0") from error

    async def get(self, key: str) -> bytes | None:
        """What was kept, if it is still there and the Redis says so in time."""
        value = await self._ask(lambda: self._client.get(self._shelf.prefix + key))
        if not isinstance(value, bytes):
            self._counts.miss()
            return None
        self._counts.hit()
        return value

    async def put(self, key: str, value: bytes) -> None:
        """Keeps it for a while, where the Redis takes it in time."""
        if len(value) <= self._shelf.max_value_bytes:
            await self._ask(lambda: self._client.set(self._shelf.prefix + key, value, px=self._ttl_ms))

    async def close(self) -> None:
        """Ends its connections."""
        await self._client.aclose()

    async def _ask(self, command: Callable[[], Awaitable[T]]) -> T | None:
        """The answer, or None where there is none in time."""
        was_open = self._breaker.state is not BreakerState.CLOSED
        if not self._breaker.try_acquire():
            return None
        try:
            async with asyncio.timeout(self._shelf.limit_s):
                answer = await command()
        except (RedisError, OSError, TimeoutError) as error:
            self._failed(error, again=was_open)
            return None
        except BaseException:
            self._breaker.release()
            raise
        self._breaker.record_success()
        if was_open:
            _log.info("the Redis cache is back")
        return answer

    def _failed(self, error: Exception, *, again: bool) -> None:
        self._breaker.record_failure()
        self._counts.error()
        if not again:
            _log.warning("the Redis cache does not answer (%s); going on without it", type(error).__name__)
