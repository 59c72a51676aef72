"""services/tts/{boundaries,abbreviations,scanner}.py: what belongs together in a text, and where its pieces end."""

import pytest

from services.tts.pieces import PieceCutter


def _texts_of(text: str) -> list[str]:
    cutter = PieceCutter()
    return [piece.text for piece in [*cutter.push(text), *cutter.flush()]]


# What belongs together


@pytest.mark.parametrize(
    "sentence",
    [
        "Le prix est de 12 345,67 euros et de 3,5 pour cent. ",
        "Prenez 3, 5 ou 7 de ces pommes. ",
        "Il vient de chez M. Dupont et Mme. Durand, avec J. R. R. Tolkien. ",
        "Le Dr. Martin habite av. Foch, p. ex. Paris, c.-à-d. ici. ",
        "Mr. Smith and Dr. Who, e.g. here, i.e. there, vs. Prof. Moriarty. ",
        "Des pommes, des poires, etc. sont là. ",
        "Ils viennent des U.S.A. ou de l'U.R.S.S. en train. ",
        "At 5 p.m. sharp it ends. ",
        "Voyez https://exemple.fr/a.b?c=d!e et moi.meme@exemple.fr demain. ",
        "Il hésite... puis… il part. ",
        "Il crie « Viens. Vite ! Non, attends. » puis il part. ",
        "Il crie “Viens. Vite!” puis il part. ",
        'Il crie "Viens. Vite!" puis il part. ',
        "« Viens ! » dit-il alors. ",
        "Ah ! oui, vraiment ! ",
        "Lisez [ce texte. Il est là](https://a.b/c d) demain. ",
        "Tapez `make. test` ici. ",
        "Rendez-vous à 14 h 30, n° 12. ",
        "Est-ce vrai\u00a0? ",
        "Est-ce vrai ? ",
        "Il reste 5 - 3 euros. ",
    ],
)
def test_a_sentence_is_one_piece_whatever_stands_in_it(sentence: str) -> None:
    assert _texts_of(f"Bonjour à tous. {sentence}Puis autre chose.") == [
        "Bonjour à tous. ",
        sentence,
        "Puis autre chose.",
    ]


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("Poires, etc. Puis des pommes.", ["Poires, etc. ", "Puis des pommes."]),
        ("It ends at 5 p.m. Then we go.", ["It ends at 5 p.m. ", "Then we go."]),
        ("I told you no. I mean it.", ["I told you no. ", "I mean it."]),
        ("Il part à 8 h. Elle reste.", ["Il part à 8 h. ", "Elle reste."]),
        ("Il est né en 1984. Elle aussi.", ["Il est né en 1984. ", "Elle aussi."]),
        ("Il hésite... Puis il part.", ["Il hésite... ", "Puis il part."]),
        ("« Viens. » Il part.", ["« Viens. » ", "Il part."]),
        ("Voilà la fin\u00a0!\u00a0Et après ?", ["Voilà la fin\u00a0!\u00a0", "Et après ?"]),
        ("**C'est fini.** Ensuite.", ["**C'est fini.** ", "Ensuite."]),
        ("Dit-il (en passant.) Ensuite.", ["Dit-il (en passant.) ", "Ensuite."]),
        ("1. Premier\n2. Deuxième", ["1. Premier\n", "2. Deuxième"]),
        ("- **1. Premier**\n- Deuxième", ["- **1. Premier**\n", "- Deuxième"]),
        ("Mes choix : 1. Premier. 2. Deuxième.", ["Mes choix : ", "1. Premier. ", "2. Deuxième."]),
        ("نعم، هذا صحيح. هل تفهم؟ نعم", ["نعم، هذا صحيح. ", "هل تفهم؟ ", "نعم"]),
    ],
)
def test_where_pieces_end(text: str, pieces: list[str]) -> None:
    assert _texts_of(text) == pieces


# Lines


def test_wrapped_prose_is_read_through_and_lines_that_are_meant_end_a_piece() -> None:
    wrapped = "Il était une fois, dans un pays fort lointain, un roi qui\navait trois filles aussi belles que le jour. "
    assert _texts_of(f"Il y a longtemps. {wrapped}Fin.") == ["Il y a longtemps. ", wrapped, "Fin."]
    assert _texts_of("Bonjour à tous\nJe suis là\n\nVoilà") == ["Bonjour à tous\n", "Je suis là\n\n", "Voilà"]


@pytest.mark.parametrize("mark", ["- un", "* un", "• un", "1. un", "12) un", "### un", "> un", "| a | b |", "```"])
def test_a_mark_at_the_next_line_ends_the_line(mark: str) -> None:
    line = "Voici la liste complète de tout ce qu'il nous faut pour demain\n"
    assert _texts_of(f"Bonjour à tous. {line}{mark}")[1] == line


def test_a_number_at_the_next_line_that_is_no_mark_does_not() -> None:
    text = "Il avait invité ce jour-là, si je me souviens bien de cela,\n12 personnes qui ne vinrent pas."
    assert _texts_of(f"Bonjour à tous. {text}")[1] == text
