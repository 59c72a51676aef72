"""The language of what is told: how it is chosen, and how a sentence is put into it."""

import io
from collections.abc import Iterator

import pytest

from client import messages
from client.french import typeset
from client.letters import nearest, show_nearest
from client.messages import ENGLISH, FRENCH, asked_for, tr

NO_BREAK_SPACE = "\u00a0"


@pytest.fixture
def _in_french() -> Iterator[None]:
    messages.speak(FRENCH)
    yield
    messages.speak(ENGLISH)


# --- which language


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, ENGLISH),
        ({"LANG": "fr_FR.UTF-8"}, FRENCH),
        ({"LANG": "fr"}, FRENCH),
        ({"LANG": "fr_CA@euro"}, FRENCH),
        ({"LANG": "FR-fr"}, FRENCH),
        ({"LANG": "de_DE.UTF-8"}, ENGLISH),
        ({"LANG": "fy_NL.UTF-8"}, ENGLISH),
        ({"LANG": "fro_FR"}, ENGLISH),  # Old French is another language
        ({"LANG": "de_DE.UTF-8", "LC_MESSAGES": "fr_FR.UTF-8"}, FRENCH),
        ({"LANG": "fr_FR.UTF-8", "LC_MESSAGES": "en_GB.UTF-8"}, ENGLISH),
        ({"LC_MESSAGES": "fr_FR.UTF-8", "LC_ALL": "en_GB.UTF-8"}, ENGLISH),
        ({"LANG": "fr_FR.UTF-8", "LC_TIME": "en_GB.UTF-8"}, FRENCH),
        ({"LANG": "fr_FR.UTF-8", "LC_ALL": "en_US.UTF-8"}, ENGLISH),
        ({"LANG": "fr_FR.UTF-8", "LC_ALL": ""}, FRENCH),  # empty is as if it were not set
        # A list, the best first.
        ({"LANG": "en_US.UTF-8", "LANGUAGE": "fr:en"}, FRENCH),
        ({"LANG": "fr_FR.UTF-8", "LANGUAGE": "en:fr"}, ENGLISH),
        ({"LANG": "fr_FR.UTF-8", "LANGUAGE": "en_GB:en"}, ENGLISH),
        ({"LANG": "de_DE.UTF-8", "LANGUAGE": "de:fr:en"}, FRENCH),
        ({"LANG": "fr_FR.UTF-8", "LANGUAGE": "de:nl"}, FRENCH),
        ({"LANG": "fr_FR.UTF-8", "LANGUAGE": ""}, FRENCH),
        ({"LANGUAGE": "fr"}, FRENCH),
        # Who asks for no language gets the one in the code.
        ({"LANG": "fr_FR.UTF-8", "LC_ALL": "C"}, ENGLISH),
        ({"LANG": "fr_FR.UTF-8", "LC_ALL": "C.UTF-8"}, ENGLISH),
        ({"LANG": "POSIX", "LANGUAGE": "fr"}, ENGLISH),
        ({"LC_ALL": "C", "LANGUAGE": "fr"}, ENGLISH),
    ],
)
def test_variables_choose_the_language_as_everywhere(environment: dict[str, str], expected: str) -> None:
    assert asked_for(environment, "") == expected


@pytest.mark.parametrize(
    ("of_the_system", "expected"),
    [("French_France", FRENCH), ("fr_FR", FRENCH), ("English_United States", ENGLISH), ("Friulian_Italy", ENGLISH)],
)
def test_without_variables_the_system_chooses(of_the_system: str, expected: str) -> None:
    assert asked_for({}, of_the_system) == expected
    assert asked_for({"LANG": "de_DE"}, of_the_system) == ENGLISH


def test_the_environment_of_the_process_is_what_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANGUAGE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "fr_FR.UTF-8")
    assert messages.of_this_person() == FRENCH
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")
    assert messages.of_this_person() == ENGLISH


# --- tr


def test_english_is_what_the_code_says() -> None:
    assert tr("{path} is empty", path="a.json") == "a.json is empty"


@pytest.mark.usefixtures("_in_french")
def test_french_comes_from_the_catalogue() -> None:
    assert tr("{path} is empty", path="a.json") == "a.json est vide"


@pytest.mark.usefixtures("_in_french")
def test_a_sentence_that_nobody_translated_stays_english() -> None:
    assert tr("{count} unheard-of things", count=3) == "3 unheard-of things"


@pytest.mark.parametrize("language", ["", "en", "de", "FR"])
def test_a_language_that_is_not_known_is_english(language: str) -> None:
    messages.speak(FRENCH)
    messages.speak(language)
    assert tr("{path} is empty", path="a") == "a is empty"


@pytest.mark.parametrize("language", [ENGLISH, FRENCH])
def test_values_are_put_in_as_they_are(language: str) -> None:
    messages.speak(language)
    try:
        assert tr("{path} is empty", path="{0} {path} {{").startswith("{0} {path} {{ ")
        listed = tr("{path} must be a list of tools: [{{name, description, parameters}}, …]", path="t")
    finally:
        messages.speak(ENGLISH)
    assert listed.endswith("[{name, description, parameters}, …]")


@pytest.mark.usefixtures("_in_french")
def test_without_values_braces_are_braces() -> None:
    help_text = "Tools that it may call, a JSON list of {name, description, parameters}."
    assert tr(help_text).endswith("une liste JSON de {name, description, parameters}.")


@pytest.mark.usefixtures("_in_french")
def test_french_numbers_have_a_comma_and_names_keep_their_points() -> None:
    assert tr("{path} ({duration_s:.1f} s)", path="v1.5.wav", duration_s=12.34) == "v1.5.wav (12,3 s)"


@pytest.mark.usefixtures("_in_french")
def test_a_value_that_is_missing_is_told_to_the_developer_at_once() -> None:
    with pytest.raises(KeyError, match="path"):
        tr("{path} is empty", file="a")


# --- typography


def test_lines_do_not_end_where_they_must_not() -> None:
    assert typeset("Vraiment ? Oui : « oui » !") == "Vraiment_? Oui_: «_oui_»_!".replace("_", NO_BREAK_SPACE)
    assert typeset("95 % de 127.0.0.1:50050 (10:30)") == "95_% de 127.0.0.1:50050 (10:30)".replace("_", NO_BREAK_SPACE)


def test_apostrophes_stand_only_between_letters() -> None:
    assert typeset("l'assistant, d'{name}, 'rien' et 5'") == "l’assistant, d’{name}, 'rien' et 5'"


# --- letters


def test_the_nearest_letters_are_those_below_the_accents() -> None:
    told = f"Entièrement à l’œuvre{NO_BREAK_SPACE}: «{NO_BREAK_SPACE}déjà{NO_BREAK_SPACE}»… 12 €, ça → là ✓ 中"
    assert nearest(told) == 'Entierement a l\'oeuvre : "deja"... 12 EUR, ca -> la + ?'


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [("ascii", "c'est pret -> deja"), ("latin-1", "c'est prêt -> déjà"), ("utf-8", "c’est prêt → déjà")],
)
def test_a_terminal_shows_the_letters_that_it_knows(encoding: str, expected: str) -> None:
    terminal = io.BytesIO()
    stream = io.TextIOWrapper(terminal, encoding=encoding, errors="strict")
    show_nearest([stream])
    stream.write("c’est prêt → déjà")
    stream.flush()
    assert terminal.getvalue() == expected.encode(encoding)
