"""client/say_text.py."""

import re
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.errors import CommandError
from client.say_text import parts, read_text
from services.tts.reading.markdown import Markdown
from services.tts.reading.traced import Traced


@given(st.text(alphabet="ab.!? \n\t\r,M«»é", max_size=300), st.integers(1, 60))
def test_the_parts_joined_are_the_text_and_none_is_too_long(text: str, limit: int) -> None:
    cut = list(parts(text, limit))
    assert "".join(cut) == text
    assert all(len(part) <= limit for part in cut)
    assert all(cut)


_LINES = ["Some text.", "```", "```py", "~~~~", "> ~~~", "- ```", "<!-- not", "said -->", "", "  ``` ", "```a```"]


@given(st.lists(st.sampled_from(_LINES), max_size=30), st.integers(10, 60))
def test_what_is_read_aloud_does_not_depend_on_the_parts(lines: list[str], limit: int) -> None:
    text = "\n".join(lines)
    cut = list(parts(text, limit))
    assert "".join(cut) == text
    assert all(cut)
    assert _said(cut) == _said([text])


def _said(texts: list[str]) -> str:
    """The letters that the mouth speaks, each text in a request of its own."""
    markdown = [Markdown().strip(Traced.of(text)).text for text in texts]
    return "".join(re.findall(r"\w", "".join(markdown)))


@pytest.mark.parametrize(
    ("text", "limit", "cut"),
    [
        ("", 10, []),
        ("Short.", 10, ["Short."]),
        ("One here. Two here. Three.", 22, ["One here. Two here. ", "Three."]),
        # A paragraph is better than a sentence, if it is not far away.
        ("Title of it\n\nOne here. Two here.", 30, ["Title of it\n\n", "One here. Two here."]),
        ("Title of it\r\n\r\nOne here. Two here.", 30, ["Title of it\r\n\r\n", "One here. Two here."]),
        ("T.\n\nOne is over here. Two here.", 25, ["T.\n\nOne is over here. ", "Two here."]),
        # The marks around a sentence's end stay with it.
        ("« Non ! » dit-elle en riant.", 20, ["« Non ! » ", "dit-elle en riant."]),
        ('He said "Wait!" and left us.', 20, ['He said "Wait!" ', "and left us."]),
        # An abbreviation is no end.
        ("Voici venir M. Dupont et Mme Durand", 20, ["Voici venir M. ", "Dupont et Mme Durand"]),
        ("Bonjour tous. Voici M. Dupont et Mme Durand", 30, ["Bonjour tous. ", "Voici M. Dupont et Mme Durand"]),
        ("See the rest of it at p. 12 of the book", 30, ["See the rest of it at p. 12 ", "of the book"]),
        # Neither is a dot inside of a word.
        ("The number is 3.14159 exactly so", 20, ["The number is ", "3.14159 exactly so"]),
        # Verse has lines.
        ("one two three\nfour five six", 20, ["one two three\n", "four five six"]),
        ("one two three four five", 12, ["one two ", "three four ", "five"]),
        ("abcdefghij", 4, ["abcd", "efgh", "ij"]),
        # Code that is not said is not cut, however long: its other half would be taken for text.
        ("Look:\n\n```\na = 1\n\nb = 2\n```\nDone.", 20, ["Look:\n\n", "```\na = 1\n\nb = 2\n```\n", "Done."]),
        ("Look, so:\n~~~~\n~~~\na.\n", 20, ["Look, so:\n", "~~~~\n~~~\na.\n"]),
        ("One.\n<!-- of no\n\nuse --> so\nTwo.", 12, ["One.\n", "<!-- of no\n\nuse --> so\n", "Two."]),
        ("```\nThis is it. So.\n```\nThis is it. So.", 14, ["```\nThis is it. So.\n```\n", "This is it. ", "So."]),
    ],
)
def test_where_it_is_cut(text: str, limit: int, cut: list[str]) -> None:
    assert list(parts(text, limit)) == cut


@pytest.mark.parametrize(
    "text",
    ["." * 300_000, " " * 300_000, "\n" * 300_000, 'a."' * 100_000, "x" * 300_000, "```\n" * 80_000, "```" * 99_999],
)
def test_no_text_is_slow_to_cut(text: str) -> None:
    assert "".join(parts(text, 50_000)) == text  # what is not linear takes minutes here


def test_a_book_is_cut_at_paragraphs_and_sentences() -> None:
    paragraph = "It was a dark night. The wind blew, and nobody slept. " * 7
    book = "\n\n".join([paragraph.strip()] * 60)
    cut = list(parts(book, 5000))
    assert all(len(before) > 2500 and before.endswith("\n\n") for before, _ in pairwise(cut))


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_file_in_utf_8(tmp_path: Path, mark: str) -> None:
    path = tmp_path / "a.txt"
    path.write_text(f"{mark}Où ça ?\r\nLà, 日本.", encoding="utf-8", newline="")
    assert read_text(path) == "Où ça ?\r\nLà, 日本."


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_a_file_in_utf_16_with_its_mark(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.txt"
    path.write_text("\ufeffOù ça ?\r\nLà, 日本.", encoding=encoding, newline="")
    assert read_text(path) == "Où ça ?\r\nLà, 日本."


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("Voilà\nl'été".encode("latin-1"), r"byte 4 is 0xe0, in line 1; convert it"),
        ("One\ntwo\nl'été".encode("cp1252"), r"byte 10 is 0xe9, in line 3; convert it"),
        ("One".encode("utf-16")[:-1], "is not UTF-16, although it begins so: byte 6 is 0x65"),
        ("One".encode("utf-16-le"), "is no plain text: character 1 is NUL; save it as UTF-8"),
        ("One".encode("utf-32"), "is no plain text: character 0 is NUL"),
        (b"cut off \xc3", "byte 8 is 0xc3"),
        (b"", "there is nothing to say in it"),
        (b" \n\t\xc2\xa0\n", "there is nothing to say in it"),
    ],
)
def test_a_file_that_is_no_text_is_named_with_what_is_wrong(tmp_path: Path, content: bytes, complaint: str) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(content)
    with pytest.raises(CommandError, match=complaint) as caught:
        read_text(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(("name", "complaint"), [("no.txt", "No such file"), (".", "Is a directory")])
def test_a_file_that_cannot_be_read(tmp_path: Path, name: str, complaint: str) -> None:
    with pytest.raises(CommandError, match=complaint):
        read_text(tmp_path / name)
