"""services/tts/pieces.py: cutting text that is still being written."""

import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.tts.pieces import Piece, PieceCutter

_alphabet = st.sampled_from([*"aé.,!?…:;\"'»)]- \n\t–—0", "mot ", "word", ". ", ", ", "\n\n", "…  ", "x" * 90, "👋"])
_texts = st.lists(_alphabet, max_size=60).map("".join)


def _cut(*portions: str) -> list[Piece]:
    cutter = PieceCutter()
    pieces = [piece for portion in portions for piece in cutter.push(portion)]
    return [*pieces, *cutter.flush()]


def _portions(text: str, cuts: list[int]) -> list[str]:
    places = [0, *sorted(cut % (len(text) + 1) for cut in cuts), len(text)]
    return [text[start:end] for start, end in itertools.pairwise(places)]


@given(_texts, st.lists(st.integers(0, 1000), max_size=30))
@example("Oui,  dit-il. Non. ", [4, 5, 12, 13])
def test_pieces_joined_are_the_text_and_do_not_depend_on_how_it_comes(text: str, cuts: list[int]) -> None:
    pieces = _cut(*_portions(text, cuts))
    assert "".join(piece.text for piece in pieces) == text
    assert pieces == _cut(text)
    assert pieces == _cut(*text)


@given(_texts)
def test_every_piece_knows_where_it_stands(text: str) -> None:
    for piece in _cut(text):
        assert piece.text
        assert text[piece.start : piece.end] == piece.text


@given(_texts)
def test_no_piece_is_endless(text: str) -> None:
    assert all(len(piece.text) <= 240 for piece in _cut(text)[:-1])
    assert all(len(piece.text) <= 240 for piece in _cut(text + "x" * 1000))


@given(_texts, st.lists(st.integers(0, 1000), max_size=3))
def test_after_a_flush_it_goes_on_where_it_was(text: str, cuts: list[int]) -> None:
    cutter = PieceCutter()
    pieces: list[Piece] = []
    for portion in _portions(text, cuts):
        pieces += cutter.push(portion)
        pieces += cutter.flush()
    assert "".join(piece.text for piece in pieces) == text
    for piece in pieces:
        assert text[piece.start : piece.end] == piece.text


def test_the_first_piece_is_a_clause_and_the_next_are_sentences() -> None:
    text = "Bien sûr, je regarde cela. Il fera beau demain, mais frais. Prenez un manteau."
    assert [piece.text for piece in _cut(text)] == [
        "Bien sûr, ",
        "je regarde cela. ",
        "Il fera beau demain, mais frais. ",
        "Prenez un manteau.",
    ]


def test_a_piece_is_given_as_soon_as_the_next_word_begins() -> None:
    cutter = PieceCutter()
    assert list(cutter.push("Bien sûr, ")) == []  # the space may go on
    assert [piece.text for piece in cutter.push("j")] == ["Bien sûr, "]


@pytest.mark.parametrize("text", ["Il coûte 3,5 euros", "at 3.30 p.m.today", "l'U.R.S.S.existe", "12:30:05"])
def test_marks_inside_of_words_and_numbers_do_not_cut(text: str) -> None:
    assert [piece.text for piece in _cut(text)] == [text]


def test_a_very_short_beginning_is_not_a_piece_of_its_own() -> None:
    assert _cut("Oui, bien sûr, voilà.")[0].text == "Oui, bien sûr, "


def test_a_monster_is_cut_after_a_word_or_inside() -> None:
    words = _cut("mot " * 100)
    assert all(piece.text.endswith(" ") for piece in words[:-1])
    assert all(len(piece.text) <= 240 for piece in _cut("x" * 1000))
    assert len(_cut("x" * 1000)) > 4


@pytest.mark.parametrize(
    ("text", "speakable"), [("…", False), ("  \n", False), ("👋", False), ("a", True), ("3", True)]
)
def test_only_words_are_speakable(text: str, speakable: bool) -> None:
    assert Piece(text, 0).is_speakable is speakable


def test_nothing_gives_nothing() -> None:
    assert _cut() == _cut("") == _cut("", "") == []
