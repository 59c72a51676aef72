"""services/common/redis_cache.py with a real Redis, also one that dies, freezes or was never there."""

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from services.common.cache import CacheCounts
from services.common.errors import SettingsError
from services.common.redis_cache import RedisCache, RedisShelf
from tests.support.redis import RedisServer, redis_server
from tests.support.servers import free_port

LEFT_ALONE_S = 6  # longer than a cache leaves a Redis alone that failed
MAX_VALUE_BYTES = 2**20
BOUND_S = 10  # far more than any request may be held up, far less than for ever


class Setup:
    """A cache whose counts are kept and whose clock stands."""

    def __init__(self, url: str, ttl_s: float = 60, limit_s: float = 5) -> None:
        self.told: list[str] = []
        self.now_s = 0.0
        counts = CacheCounts(*(lambda what=what: self.told.append(what) for what in ("hit", "miss", "error")))
        shelf = RedisShelf(url, "superwhisper:test:", ttl_s, MAX_VALUE_BYTES, limit_s)
        self.cache = RedisCache(shelf, counts, clock=lambda: self.now_s)

    async def get(self, key: str) -> bytes | None:
        async with asyncio.timeout(BOUND_S):
            return await self.cache.get(key)

    async def put(self, key: str, value: bytes) -> None:
        async with asyncio.timeout(BOUND_S):
            await self.cache.put(key, value)


@pytest_asyncio.fixture
async def redis(tmp_path: Path) -> AsyncIterator[RedisServer]:
    async with redis_server(tmp_path) as server:
        yield server


async def test_what_was_kept_is_found_by_every_process(redis: RedisServer) -> None:
    one, other = Setup(redis.url), Setup(redis.url)
    assert await one.get("a") is None
    await one.put("a", b"\x00\xff text")
    assert await one.get("a") == await other.get("a") == b"\x00\xff text"
    assert one.told == ["miss", "hit"]
    await one.cache.close()
    await other.cache.close()


async def test_every_value_goes_by_itself(redis: RedisServer) -> None:
    setup = Setup(redis.url, ttl_s=7200)
    await setup.put("a", b"one")
    async with Redis.from_url(redis.url) as client:
        [key] = await client.keys("*")
        assert key == b"superwhisper:test:a"
        assert 7_000_000 < await client.pttl(key) <= 7_200_000
    await setup.cache.close()


async def test_a_value_that_is_too_large_is_not_kept(redis: RedisServer) -> None:
    setup = Setup(redis.url)
    await setup.put("a", bytes(MAX_VALUE_BYTES + 1))
    await setup.put("b", bytes(MAX_VALUE_BYTES))
    assert await setup.get("a") is None
    assert await setup.get("b") == bytes(MAX_VALUE_BYTES)
    assert setup.told == ["miss", "hit"]
    await setup.cache.close()


async def test_one_that_was_never_there_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    setup = Setup(f"redis://:a-secret@127.0.0.1:{free_port()}/0")
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            setup.now_s += LEFT_ALONE_S
            await setup.put("a", b"one")
            assert await setup.get("a") is None
    assert setup.told == ["error", "miss"] * 3
    [record] = caplog.records
    assert "does not answer" in record.getMessage()
    assert "a-secret" not in caplog.text
    await setup.cache.close()


async def test_one_that_dies_and_comes_back(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        async with redis_server(tmp_path) as redis:
            setup = Setup(redis.url)
            await setup.put("a", b"one")
            redis.child.kill()
            assert await setup.get("a") is None
            assert await setup.get("a") is None  # left alone now
            assert setup.told == ["error", "miss", "miss"]
        async with redis_server(tmp_path, redis.port):
            assert await setup.get("a") is None
            setup.now_s += LEFT_ALONE_S
            await setup.put("a", b"two")
            assert await setup.get("a") == b"two"
            await setup.cache.close()
    messages = [record.getMessage().partition(" (")[0] for record in caplog.records]
    assert messages == ["the Redis cache does not answer", "the Redis cache is back"]


async def test_one_that_is_frozen_holds_nobody_up(redis: RedisServer) -> None:
    setup = Setup(redis.url, limit_s=0.05)
    await _until_kept(setup)
    redis.child.freeze()
    assert await setup.get("a") is None
    assert setup.told[-2:] == ["error", "miss"]
    redis.child.thaw()
    setup.now_s += LEFT_ALONE_S
    await _until_kept(setup)  # and no late answer of before is taken for this one's
    await setup.cache.close()


async def _until_kept(setup: Setup) -> None:
    """50 ms may be too short where many tests run at once; then it is tried again."""
    async with asyncio.timeout(BOUND_S):
        while await setup.get("a") != b"one":
            setup.now_s += LEFT_ALONE_S
            await setup.put("a", b"one")


async def test_who_is_cancelled_leaves_it_usable(redis: RedisServer) -> None:
    setup = Setup(redis.url)
    await setup.put("a", b"one")
    redis.child.freeze()
    asking = asyncio.create_task(setup.cache.get("a"))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    redis.child.thaw()
    assert await setup.get("a") == b"one"
    assert setup.told == ["hit"]
    await setup.cache.close()


@pytest.mark.parametrize("url", ["", "127.0.0.1:6379", "http://127.0.0.1/"])
def test_a_url_that_is_none_is_named_at_the_start(url: str) -> None:
    with pytest.raises(SettingsError, match="redis://HOST:PORT/0"):
        Setup(url)
