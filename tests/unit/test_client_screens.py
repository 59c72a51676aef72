"""The pictures of the terminal view in the docs are those that the view makes today."""

import re

import pytest

from scripts.make_screens import FOLDER, made_by, pictures

COMMITTED = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.svg")}


async def test_they_are_current() -> None:
    if not all(f"<!-- {made_by()} -->" in svg for svg in COMMITTED.values()):
        pytest.skip("other versions of textual or rich are installed than drew the committed ones, byte for byte")
    made = await pictures()
    assert made.keys() == COMMITTED.keys()
    for name, svg in made.items():
        assert svg == COMMITTED[name], f"{name} is out of date: python -m scripts.make_screens"


def test_there_is_one_of_each_state() -> None:
    assert {"idle.svg", "listening.svg", "speaking.svg", "degraded.svg"} <= COMMITTED.keys()


@pytest.mark.parametrize("name", sorted(COMMITTED))
def test_they_need_nothing_from_elsewhere(name: str) -> None:
    links = set(re.findall(r"https?://[^\"' )]*", COMMITTED[name]))
    assert links == {"http://www.w3.org/2000/svg"}
    assert "@font-face" not in COMMITTED[name]
    assert len(COMMITTED[name]) < 100_000
