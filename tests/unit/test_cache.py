"""services/common/cache.py and caches.py."""

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from services.common.cache import CacheCounts, MemoryCache
from services.common.caches import CacheSettings, open_cache
from services.common.redis_cache import RedisCache


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


class Counted:
    def __init__(self) -> None:
        self.told: list[str] = []
        self.counts = CacheCounts(
            lambda: self.told.append("hit"), lambda: self.told.append("miss"), lambda: self.told.append("error")
        )


def cache(max_bytes: int = 10_000, clock: Clock | None = None) -> MemoryCache:
    return MemoryCache(Counted().counts, max_bytes, 60, clock or Clock())


async def test_what_was_kept_is_found_and_counted() -> None:
    counted = Counted()
    kept = MemoryCache(counted.counts, 10_000, 60)
    assert await kept.get("a") is None
    await kept.put("a", b"one")
    assert await kept.get("a") == b"one"
    await kept.put("a", b"two")
    assert await kept.get("a") == b"two"
    assert counted.told == ["miss", "hit", "hit"]


async def test_it_forgets_after_its_time() -> None:
    clock = Clock()
    kept = cache(clock=clock)
    await kept.put("a", b"one")
    clock.now_s = 59.9
    assert await kept.get("a") == b"one"  # asking does not make it younger
    clock.now_s = 60
    assert await kept.get("a") is None
    assert kept.size_bytes == 0


async def test_the_one_longest_unasked_for_goes_first() -> None:
    kept = cache(max_bytes=3 * 1300)
    for key in "abc":
        await kept.put(key, bytes(1000))
    await kept.get("a")
    await kept.put("d", bytes(1000))
    assert [key for key in "abcd" if await kept.get(key) is not None] == ["a", "c", "d"]


async def test_what_is_larger_than_everything_is_not_kept_and_drives_nothing_out() -> None:
    kept = cache(max_bytes=2000)
    await kept.put("a", bytes(500))
    await kept.put("b", bytes(2000))
    assert await kept.get("a") is not None
    assert await kept.get("b") is None


async def test_closed_it_is_empty() -> None:
    kept = cache()
    await kept.put("a", b"one")
    await kept.close()
    assert (await kept.get("a"), kept.size_bytes) == (None, 0)


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 3000)), max_size=60))
async def test_it_never_grows_beyond_its_bound(puts: list[tuple[str, int]]) -> None:
    kept = cache(max_bytes=5000)
    for key, size in puts:
        await kept.put(key, bytes(size))
        assert kept.size_bytes <= 5000
        found = await kept.get(key)
        assert found == (bytes(size) if size + 300 <= 5000 else None)


# --- as the settings say


async def test_in_this_process_by_default_and_counted_under_the_service_s_name() -> None:
    registry = CollectorRegistry()
    kept = open_cache(CacheSettings(), registry, "tts")
    assert isinstance(kept, MemoryCache)
    await kept.get("a")
    await kept.put("a", bytes(100 * 2**20))
    await kept.get("a")
    counted = [registry.get_sample_value(f"tts_cache_{what}_total") for what in ("hits", "misses", "errors")]
    assert counted == [1, 1, 0]


async def test_of_no_size_it_keeps_nothing() -> None:
    kept = open_cache(CacheSettings(max_mb=0), CollectorRegistry(), "tts")
    await kept.put("a", b"")
    assert await kept.get("a") is None


async def test_in_a_redis_where_one_is_named() -> None:
    settings = CacheSettings.model_validate({"redis_url": "redis://127.0.0.1:6379/0"})
    kept = open_cache(settings, CollectorRegistry(), "tts")
    assert isinstance(kept, RedisCache)
    await kept.close()
