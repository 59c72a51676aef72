"""Lines in text that comes in pieces."""

import itertools
from collections.abc import AsyncIterator

from hypothesis import given
from hypothesis import strategies as st

from client.typed import lines


async def pieces(*given: str) -> AsyncIterator[str]:
    for piece in given:
        yield piece


async def collect(*given: str) -> list[str]:
    return [line async for line in lines(pieces(*given))]


async def test_lines_across_pieces() -> None:
    assert await collect("hel", "lo\nhow ar", "e you\n", "\n  \n", "last") == ["hello", "how are you", "last"]


async def test_nothing() -> None:
    assert await collect() == []
    assert await collect("", "\n", " \r\n") == []


@given(st.text(alphabet="ab \n", max_size=40), st.lists(st.integers(0, 40), max_size=5))
async def test_how_it_is_cut_does_not_matter(text: str, cuts: list[int]) -> None:
    bounds = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    cut = [text[start:end] for start, end in itertools.pairwise(bounds)]
    assert await collect(*cut) == await collect(text)
    assert await collect(text) == [line.strip() for line in text.split("\n") if line.strip()]
