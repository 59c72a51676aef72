"""services/tts/pieces.py: cutting text that is still being written."""

import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.tts.pieces import Piece, PieceCutter
from tests.support.effort import count_calls

_MARKS = st.sampled_from([*"aéA.,!?…:;\"'»«“”)][(`- \n\t–—01#*|>", "\u00a0", "\u202f", "。", "、", "\u0301", "\u200d"])
_WORDS = st.sampled_from(
    [
        *(
            "mot ",
            "Mot ",
            "M. ",
            "etc. ",
            "p. ex. ",
            ". ",
            ", ",
            "\n\n",
            "\n- ",
            "\n12. ",
            "...  ",
            " !\u00a0",
            "x" * 90,
        ),
        *("https://a.b/c?d=", "](", "👋🏽", " " * 40, "« Oui. Non. »", "14 h 30 ", "12 345,67 "),
    ]
)
_texts = st.lists(_MARKS | _WORDS, max_size=60).map("".join)
_cuts = st.lists(st.integers(0, 10_000), max_size=30)


def _cut(*portions: str) -> list[Piece]:
    cutter = PieceCutter()
    pieces = [piece for portion in portions for piece in cutter.push(portion)]
    return [*pieces, *cutter.flush()]


def _texts_of(text: str) -> list[str]:
    return [piece.text for piece in _cut(text)]


def _portions(text: str, cuts: list[int]) -> list[str]:
    places = [0, *sorted(cut % (len(text) + 1) for cut in cuts), len(text)]
    return [text[start:end] for start, end in itertools.pairwise(places)]


# What holds for every text


@given(_texts, _cuts)
@example("Oui,  dit-il. Non. ", [4, 5, 12, 13])
@example("mot " * 30 + "M. Dupont " * 30, [100, 101, 280])
@example("« " + "mot, " * 100 + "»", [81, 120])
@example("https://" + "a" * 3000 + " fin", [1999, 2047])
@example("Bien sûr, ... puis. ", [])
@example("Voici le plan A - bien vite fait, oui.", [])
@example("Bonjour à tous. Ajoutez la farine. 2. Le beurre, puis le sel.", [])
@example("Lisez bien [ceci, cela](x, y) demain, oui. ", [])
@example("Bonjour à tous. Voici la liste complète de tout ce qu'il faut pour demain\n- un", [])
def test_pieces_joined_are_the_text_and_do_not_depend_on_how_it_comes(text: str, cuts: list[int]) -> None:
    pieces = _cut(*_portions(text, cuts))
    assert "".join(piece.text for piece in pieces) == text
    assert pieces == _cut(text)
    assert pieces == _cut(*text)


@given(st.text(), _cuts)
def test_nor_with_any_characters_at_all(text: str, cuts: list[int]) -> None:
    pieces = _cut(*_portions(text, cuts))
    assert "".join(piece.text for piece in pieces) == text
    assert pieces == _cut(text)


@given(_texts)
def test_every_piece_knows_where_it_stands(text: str) -> None:
    for piece in _cut(text):
        assert piece.text
        assert text[piece.start : piece.end] == piece.text


@given(_texts)
def test_no_piece_is_endless(text: str) -> None:
    pieces = _cut(text + "x" * 5000)
    assert all(len(piece.text) <= 240 or "https://" in piece.text or "](" in piece.text for piece in pieces[:-1])
    assert all(len(piece.text) <= 2000 for piece in pieces[:-1])


@given(_texts, st.lists(st.tuples(st.integers(0, 1000), st.sampled_from(["flush", "pause"])), max_size=5))
def test_after_a_flush_or_a_pause_it_goes_on_where_it_was(text: str, calls: list[tuple[int, str]]) -> None:
    cutter = PieceCutter()
    pieces: list[Piece] = []
    portions = _portions(text, [cut for cut, _ in calls])
    for portion, call in itertools.zip_longest(portions, (call for _, call in calls), fillvalue="flush"):
        pieces += cutter.push(portion)
        pieces += cutter.flush() if call == "flush" else cutter.pause()
    pieces += cutter.flush()
    assert "".join(piece.text for piece in pieces) == text
    for piece in pieces:
        assert text[piece.start : piece.end] == piece.text


# The first piece and the next


def test_the_first_piece_is_a_clause_and_the_next_are_sentences() -> None:
    assert _texts_of("Bien sûr, je regarde cela. Il fera beau demain, mais frais. Prenez un manteau.") == [
        "Bien sûr, ",
        "je regarde cela. ",
        "Il fera beau demain, mais frais. ",
        "Prenez un manteau.",
    ]


def test_a_piece_is_given_as_soon_as_the_next_word_begins() -> None:
    cutter = PieceCutter()
    assert list(cutter.push("Bien sûr, ")) == []  # the space may go on, or a `»` belong to it
    assert [piece.text for piece in cutter.push("j")] == ["Bien sûr, "]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("Oui, bien sûr, voilà.", "Oui, bien sûr, "),  # "Oui," alone is over too soon
        ("Oui. Je regarde.", "Oui. Je regarde."),
        ("Bonjour ! Je regarde.", "Bonjour ! "),
        ("Il le dit – enfin – et part.", "Il le dit – "),
        ("Donc x - 3 fait 0, puis rien.", "Donc x - 3 fait 0, "),
        ("Donc y = ab - cd, puis rien.", "Donc y = ab - cd, "),
        ("Voici la liste :\n- un\n- deux", "Voici la liste :\n"),
        ("# Titre\nDu texte", "# Titre\n"),
        ("Prenez 3, 5 ou 7 de ces pommes, oui.", "Prenez 3, 5 ou 7 de ces pommes, "),
        ("今日は、いい天気です。散歩に行きましょう。", "今日は、いい天気です。"),
    ],
)
def test_the_first_piece(text: str, first: str) -> None:
    assert _texts_of(text)[0] == first


def test_the_first_piece_is_short_even_where_nobody_takes_a_breath() -> None:
    first = _cut("mot " * 100)[0]
    assert len(first.text) == 80
    late_comma = "Non, " + "mot " * 12 + "enfin, " + "mot " * 30
    assert _cut(late_comma)[0].text == "Non, " + "mot " * 12 + "enfin, "
    assert len(_cut("Non, " + "mot " * 30)[0].text) == 77  # such an early one is none
    assert len(_cut("mot " * 19 + "a\u00a0mot " * 30)[0].text) == 76


# What is too long


def test_a_quote_that_is_longer_than_a_piece_is_cut_at_a_sentence_in_it() -> None:
    sentence = "Il dit que tout va bien et que rien ne presse, vraiment rien. "
    pieces = _texts_of(f"Bonjour à tous. « {sentence * 6}» Puis il part.")
    assert pieces[1] == f"« {sentence * 2}"
    assert all(piece.endswith((sentence, "» ", "part.")) for piece in pieces[1:])


def test_a_quote_that_never_ends_holds_nothing_up_for_long() -> None:
    assert [len(text) for text in _texts_of("« " + "mot " * 200)[:3]] == [78, 160, 240]


def test_a_long_sentence_is_cut_at_a_clause() -> None:
    pieces = _texts_of("Bonjour à tous. " + "mot " * 30 + "oui, " + "mot " * 30 + "fin.")
    assert pieces[1] == "mot " * 30 + "oui, "


def test_an_address_is_one_piece_however_long() -> None:
    address = "https://exemple.fr/" + "a,b" * 300
    assert _texts_of(f"Voyez {address} demain.") == ["Voyez ", f"{address} ", "demain."]


def test_a_monster_is_cut_between_characters() -> None:
    assert [len(text) for text in _texts_of("x" * 600)] == [240, 240, 120]
    accents = _texts_of("x" + "e\u0301" * 600)
    assert all(not text.startswith("\u0301") for text in accents)


# Long portions


_CHARACTERS = [*"[]()`\"'«»“”…-–—.,:;!?#*_|>@/\\1aA", " ", "\n", "\t", "\u00a0", "。", "、", "\u0301", "\u200d", "👋"]


@pytest.mark.parametrize("snippet", [*_CHARACTERS, "mot ", '"a', "](", "a@", ". ", "www.", "x - ", "\n- ", "M. "])
def test_cutting_costs_no_more_for_each_character_of_a_long_portion(snippet: str) -> None:
    few = count_calls(lambda: _cut(snippet * (3_000 // len(snippet))))
    many = count_calls(lambda: _cut(snippet * (30_000 // len(snippet))))
    assert many < 12 * few


def test_pieces_of_a_long_portion_are_cut_when_they_are_asked_for() -> None:
    text = "Une phrase, puis une autre. " * 3_000
    assert count_calls(lambda: next(PieceCutter().push(text))) * 100 < count_calls(lambda: _cut(text))


# Pauses


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("Il fait beau, mais", "Il fait beau, "),
        ("Il fait beau,", "Il fait beau,"),
        ("Oui. ", "Oui. "),
        ("Oui", ""),
        ("Il fait", ""),
        ("Il fait 3,", ""),  # 3,5
        ("Il fait 3. ", ""),
        ("Voyez www.exemple.", ""),  # .fr
        ("Chez M.", ""),
        ("Chez M. ", ""),
        ("Il hésite...", "Il hésite..."),
        ("Il dit « Bonjour, je", ""),
        ("Il dit : « Bonjour, je", "Il dit : "),
        ("Lisez [ceci, cela", ""),
        ("Titre\n", "Titre\n"),
    ],
)
def test_a_pause_speaks_what_is_there_up_to_the_last_clause(text: str, spoken: str) -> None:
    cutter = PieceCutter()
    list(cutter.push("Bonjour à tous. "))
    assert [piece.text for piece in cutter.push(text)] == ["Bonjour à tous. "] * bool(text)
    assert "".join(piece.text for piece in cutter.pause()) == spoken
    assert list(cutter.pause()) == []
    assert "".join(piece.text for piece in cutter.flush()) == text[len(spoken) :]


def test_after_a_pause_the_sentence_goes_on() -> None:
    cutter = PieceCutter()
    assert list(cutter.push("Oui, mais")) == []
    assert [piece.text for piece in cutter.pause()] == ["Oui, "]  # however short
    assert [piece.text for piece in cutter.push(" il fait frais. Voilà")] == ["mais il fait frais. "]
    assert list(PieceCutter().pause()) == []


# The rest


@pytest.mark.parametrize(
    ("text", "speakable"), [("…", False), ("  \n", False), ("👋", False), ("a", True), ("3", True)]
)
def test_only_words_are_speakable(text: str, speakable: bool) -> None:
    assert Piece(text, 0).is_speakable is speakable


def test_nothing_gives_nothing() -> None:
    assert _cut() == _cut("") == _cut("", "") == []
