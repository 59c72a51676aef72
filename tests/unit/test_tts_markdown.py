"""services/tts/reading/markdown.py: Markdown as it is read aloud."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.tts.reading.markdown import Markdown
from services.tts.reading.traced import Traced

_snippets = st.sampled_from(
    [
        *"*_~`[]()<>!#|-+=>&\\:.\"' \t1a",
        *("\n", "\n\n", "\r\n", "**", "```", "~~~", "\n```py\n", "\n| a | b |\n", "|---|", "- ", "1. ", "<!--", "-->"),
        *(
            "[a](b)",
            "![",
            "<b>",
            "&amp;",
            "&#0;",
            "https://a.b",
            "mot",
            "\u200d",
            "é",
            "👍🏽",
            "\ud800",
            "\x00",
            "\u2028",
        ),
    ]
)
_texts = st.one_of(st.text(), st.lists(_snippets, max_size=60).map("".join))


def _strip(*pieces: str) -> str:
    markdown = Markdown()
    return "".join(markdown.strip(Traced.of(piece)).text for piece in pieces)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Du **gras**, de l'*italique* et du ***tout***.", "Du gras, de l'italique et du tout."),
        ("l'__eau__ et _le feu_", "l'eau et le feu"),
        ("**S**ociété **N**ationale", "Société Nationale"),
        ("le **2**ème", "le 2ème"),
        ("du **gras avec *italique* dedans**", "du gras avec italique dedans"),
        ("~~non~~ oui", "non oui"),
        ("lancez `ls *.py`, puis ``a ` b``", "lancez ls *.py, puis a ` b"),
        ("un ` perdu", "un  perdu"),
        ('[un lien](https://exemple.fr/a_(b) "titre").', "un lien."),
        ("![un chat](chat.png)", "un chat"),
        ("[![un chat](chat.png)](https://exemple.fr)", "un chat"),
        ("[du **gras**](x)", "du gras"),
        ("[un lien][ref] et une note[^1]", "un lien et une note"),
        ("[du **gras**][ref] et *[un lien](x)*", "du gras et un lien"),
        ("1~~2~~3 ~~ 4", "123  4"),
        ("<!-- rien --> après", " après"),
        ("[ref]: https://exemple.fr", ""),
        ("<https://exemple.fr/a>", "https://exemple.fr/a"),
        ("<mailto:a@b.fr> et <c@d.fr>", "a@b.fr et c@d.fr"),
        ('du <b class="x">gras</b><br/>et H<sub>2</sub>O', "du gras et H2O"),
        ("avant<!-- rien --> après", "avant après"),
        ("&eacute;t&#233; &amp; hiver &lt;3 &inconnu;", "été & hiver <3 &inconnu;"),
        (r"\*pas gras\* \# \_", "*pas gras* # _"),
        ("> cité\n> > deux fois", "cité\ndeux fois"),
        ("avant\n\n---\n***\n\naprès", "avant\n\n\naprès"),
    ],
)
def test_marks_are_not_read(written: str, read: str) -> None:
    assert _strip(written) == read


@pytest.mark.parametrize(
    "text",
    [
        "3 * 4 * 5",
        "2*3*4 et a*b",
        "2**8 ou x**2",
        "snake_case et a__b",
        "2 < 3 et 5 > 3",
        "si a<b et b>c",
        "environ ~20",
        "f(x) = |x| || y",
        "x[0] et [1]",
        "x[0][1]",
        "C:\\Users",
        "https://exemple.fr/a_b_c/_d_?e=1",
        "#1 et n#2",
        "-5 degrés",
        "AT&T; R&D",
        "Je ____ au cinéma",
        "C'est l'été, n'est-ce pas ? « Oui ! »",
    ],
)
def test_what_only_looks_like_markdown_stays(text: str) -> None:
    assert _strip(text) == text


def test_headings_and_items_end_as_sentences_do() -> None:
    assert _strip("# Un titre #\n## Vraiment ?\n**Étape 1**\nTexte\n") == (
        "Un titre.\n\nVraiment ?\n\nÉtape 1.\n\nTexte\n"
    )
    assert _strip("- lait\n* œufs,\n  + [x] pain\n• sel\n1. Premier\n2) Second !\n") == (
        "lait.\nœufs,\npain.\nsel.\n1. Premier.\n2) Second !\n"
    )
    assert _strip("- « bien. »\n") == "« bien. »\n"


def test_the_mark_that_is_added_stands_for_the_end_of_the_line() -> None:
    text = Markdown().strip(Traced.of("- lait\n", 10))
    assert text == Traced("lait.\n", (12, 13, 14, 15, 16, 16))
    assert Markdown().strip(Traced.of("- a  \n")) == Traced("a.  \n", (2, 3, 3, 4, 5))
    assert _strip("# Oui ! ", "\n") == "Oui ! \n\n"


def test_what_nobody_knows_keeps_its_characters() -> None:
    assert Markdown().strip(Traced.of("&rien;")) == Traced.of("&rien;")
    assert Markdown().strip(Traced.of("a&lt;b")) == Traced("a<b", (0, 1, 5))


def test_a_table_is_read_row_by_row() -> None:
    table = "| Nom | **Âge** |\n|:----|----:|\n| Zoé | 3 ans. |\n| a\\|b | |\nNom | Âge\n|a.|b|\n"
    assert _strip(table) == "Nom, Âge.\nZoé, 3 ans.\na|b.\nNom, Âge.\na. b.\n"


def test_code_is_left_out() -> None:
    assert _strip("Voici :\n```python\n# x\n```` \nFin") == "Voici :\nFin"
    assert _strip("> ~~~\n> ```\n> ~~~\n> Fin") == "Fin"
    assert _strip("````\n```\nx\n````\nFin") == "Fin"
    assert _strip("- ```\n  x\n  ```\nFin") == "Fin"
    assert _strip("```pas un bloc``` ici") == "pas un bloc ici"
    assert _strip("<!--\nrien\n-->\nFin") == "Fin"


def test_it_knows_where_the_next_piece_begins() -> None:
    assert _strip("Voici :\n", "```py\n", "a = 1. ", "- b\n", "```\n", "Fin") == "Voici :\nFin"
    assert _strip("```py\n", "a = ", "```\n", "b\n", "```\n", "Fin") == "Fin"
    assert _strip("**Bon ", "** oui") == "Bon  oui"
    assert _strip("**Attention ! ", "C'est chaud.** ", "Oui.") == "Attention ! C'est chaud. Oui."
    assert _strip("- Un. ", "- deux\n") == "Un. - deux.\n"
    assert _strip("| Bonjour. ", "Ça va | oui |\n") == "Bonjour. Ça va, oui.\n"


@given(_texts, st.lists(st.integers(0, 1000), max_size=8))
def test_any_text_in_any_pieces_is_read(text: str, cuts: list[int]) -> None:
    markdown = Markdown()
    places = [0, *sorted(cut % (len(text) + 1) for cut in cuts), len(text)]
    sources: list[int] = []
    for start, end in itertools.pairwise(places):
        read = markdown.strip(Traced.of(text[start:end], start))
        assert len(read.text) == len(read.sources)
        assert all(start <= source < end for source in read.sources)
        sources += read.sources
    assert sources == sorted(sources)


@given(_texts)
def test_a_text_in_lines_is_read_as_it_is_in_one(text: str) -> None:
    assert _strip(*(line + "\n" for line in text.split("\n"))) == _strip(text + "\n")


@given(st.text("abcéè ,.!?'\n"))
def test_plain_text_stays_as_it_is(text: str) -> None:
    assert _strip(text) == text


@pytest.mark.parametrize(
    "snippet",
    [
        "[",
        "[a](",
        "[[a]",
        "[x](((",
        '[x](a "',
        "`` ",
        "**a ",
        "*a ",
        '<a b="',
        "<a@",
        "<!--",
        "| ",
        "\\",
        "&#",
        "#",
        " ",
    ],
)
def test_a_hostile_text_costs_no_more_than_a_long_one(snippet: str) -> None:
    """Where a pattern goes back over what it has seen, this takes minutes."""
    line = snippet * (100_000 // len(snippet))
    assert len(_strip(line)) <= len(line)
