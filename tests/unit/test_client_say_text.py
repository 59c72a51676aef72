"""client/say_text.py."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.errors import CommandError
from client.say_text import parts, read_text


@given(st.text(alphabet="ab.!? \n\t\r,M«»é", max_size=300), st.integers(1, 60))
def test_the_parts_joined_are_the_text_and_none_is_too_long(text: str, limit: int) -> None:
    cut = list(parts(text, limit))
    assert "".join(cut) == text
    assert all(len(part) <= limit for part in cut)
    assert all(cut) or not text


@pytest.mark.parametrize(
    ("text", "limit", "cut"),
    [
        ("", 10, [""]),
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
    ],
)
def test_where_it_is_cut(text: str, limit: int, cut: list[str]) -> None:
    assert list(parts(text, limit)) == cut


@pytest.mark.parametrize("text", ["." * 300_000, " " * 300_000, "\n" * 300_000, 'a."' * 100_000, "x" * 300_000])
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


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("Voilà\nl'été".encode("latin-1"), r"byte 4 is 0xe0, in line 1; convert it"),
        ("One\ntwo\nl'été".encode("cp1252"), r"byte 10 is 0xe9, in line 3; convert it"),
        ("One".encode("utf-16"), "byte 0 is 0xff, in line 1"),
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
