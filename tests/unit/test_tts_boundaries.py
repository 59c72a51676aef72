"""services/tts/{boundaries,abbreviations,scanner}.py: what belongs together in a text, and where its pieces end."""

import pytest

from services.tts.pieces import PieceCutter
from services.tts.reading import english_words, french_words


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
        "Donc x - 3 fait 0, f(x) - g(x) aussi, et y = - ab - cd. ",
        "Lisez J.-J. Rousseau, P.-S. Duval et Jean-F. Copé. ",
        "Voyez la sc. 3, un adj. qualificatif et Bordeaux (dép. 33). ",
        "Elle part le 12 fév. avec 2 c. à s. de sucre, p.-s. Paul. ",
        "Ask Maj. Tom, Adm. Lee, Cmdr. Data or Pres. Obama, eg. now. ",
        "Going to St. Louis and Mount St. Helens with Dr. Who. ",
        "Il fait chaud. 3 personnes sont là. ",
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
        ("Il mesure 10 mm. Elle aussi.", ["Il mesure 10 mm. ", "Elle aussi."]),
        ("He lives at 10 Downing St. They like it.", ["He lives at 10 Downing St. ", "They like it."]),
        ("That is all. We use the app. It works.", ["That is all. ", "We use the app. ", "It works."]),
        ("Il fait chaud. 3 personnes sont là.", ["Il fait chaud. ", "3 personnes sont là."]),
        ("Il reste là - mais pas moi - et toi.", ["Il reste là - ", "mais pas moi - et toi."]),
        ("Le plan A - un bon plan - est prêt.", ["Le plan A - ", "un bon plan - est prêt."]),
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


# What the reader knows


_FRENCH = (
    (french_words.TITLES, "Dupont arrive"),
    (french_words.STREETS, "de la Paix"),
    (french_words.ABBREVIATIONS, "la suite"),
    (french_words.LAST_WORDS, "la suite"),
    (french_words.BEFORE_NUMBERS, "12 et plus"),
    (french_words.MONTHS_SHORT, "2024 fut bon"),
)
_ENGLISH = (
    (english_words.TITLES, "Smith comes"),
    (english_words.AFTER_NAMES, "is here"),
    (english_words.ABBREVIATIONS, "more of it"),
    (english_words.LAST_WORDS, "more of it"),
    (english_words.BEFORE_NUMBERS, "12 and more"),
    (english_words.DAYS_SHORT, "12 May"),
)


@pytest.mark.parametrize(
    ("short", "follows"),
    [(short, follows) for table, follows in [*_FRENCH, *_ENGLISH] for short in table if short.endswith(".")],
)
def test_no_piece_ends_with_an_abbreviation_that_the_reader_knows(short: str, follows: str) -> None:
    """Not even the first one, which may end at a clause."""
    assert _texts_of(f"Voyez donc {short} {follows}. Rien.") == [f"Voyez donc {short} {follows}. ", "Rien."]
