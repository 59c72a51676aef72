"""services/stt/cache.py."""

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.audio import Recording
from services.stt.cache import CacheCounts, MemoryCache, result_key
from services.stt.endpointing import Endpointing
from services.stt.engine import RecognitionOptions

SOUND = Recording(np.arange(1000, dtype=np.int16), 16_000)
OPTIONS = RecognitionOptions("fr")
ENDPOINTING = Endpointing()
# Another value of every field there is, or will be: a wish that is not in the key gives somebody the wrong transcript.
OTHER: dict[type, Any] = {str: "en", bool: True, tuple: ("Aiko",), int: 77, float: 0.77}


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


# --- the key


def test_the_same_is_the_same() -> None:
    copy = Recording(SOUND.samples.copy(), 16_000)
    assert result_key(SOUND, "small", OPTIONS, ENDPOINTING) == result_key(copy, "small", OPTIONS, ENDPOINTING)


def test_one_sample_an_engine_or_a_rate_makes_another_key() -> None:
    keys = {
        result_key(sound, engine, OPTIONS, ENDPOINTING)
        for sound in (SOUND, Recording(SOUND.samples[:-1], 16_000), Recording(SOUND.samples, 8_000))
        for engine in ("small", "tiny")
    }
    assert len(keys) == 6


@pytest.mark.parametrize("name", [field.name for field in fields(RecognitionOptions)])
def test_every_option_is_in_the_key(name: str) -> None:
    other = replace(OPTIONS, **{name: OTHER[type(getattr(OPTIONS, name))]})
    assert result_key(SOUND, "small", other, ENDPOINTING) != result_key(SOUND, "small", OPTIONS, ENDPOINTING)


@pytest.mark.parametrize("name", [field.name for field in fields(Endpointing)])
def test_all_endpointing_is_in_the_key(name: str) -> None:
    other = replace(ENDPOINTING, **{name: OTHER[type(getattr(ENDPOINTING, name))]})
    assert result_key(SOUND, "small", OPTIONS, other) != result_key(SOUND, "small", OPTIONS, ENDPOINTING)


# --- in memory


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
