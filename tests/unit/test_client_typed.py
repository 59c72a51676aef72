"""Lines in text that comes in pieces, and what they ask for."""

import itertools
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.typed import lines
from client.typed_commands import obey
from tests.fakes.controls import NotedControls


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


async def test_a_line_without_end_is_kept_to_a_bound() -> None:
    [line, other] = await collect(*["x" * 4096] * 100, "\nother")
    assert (len(line), other) == (64_000, "other")


@pytest.mark.parametrize(
    ("line", "done"),
    [
        ("hello", ["type hello"]),
        ('{"text": "{"}', ["type {"]),
        ('{"command": "interrupt"}', ["interrupt"]),
        ('{"command": "mute"}', ["mute"]),
        ('{"command": "unmute"}', ["unmute"]),
        ('{"command": "press"}', ["press"]),
    ],
)
async def test_what_a_line_asks_for(line: str, done: list[str]) -> None:
    controls = NotedControls()
    assert await obey(line, controls) == ""
    assert controls.done == done


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("{", "not a JSON object"),
        ('{"a":' * 100_000, "not a JSON object"),
        ('{"text": ' + "1" * 5000 + "}", "not a JSON object"),
        ('{"command": ["interrupt"]}', "not a command"),
        ("{}", "not a command"),
    ],
    ids=lambda text: text[:10],
)
async def test_a_line_that_asks_for_nothing(line: str, complaint: str) -> None:
    controls = NotedControls()
    assert complaint in await obey(line, controls)
    assert controls.done == []
