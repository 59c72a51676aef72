"""The command as somebody runs it whose terminal speaks French."""

import json
from pathlib import Path

import pytest

from tests.support.client_command import Ended, superwhisper
from tests.support.servers import free_port

FRENCH = {
    **dict.fromkeys(("LC_ALL", "LC_MESSAGES", "LANGUAGE", "SUPERWHISPER_CLIENT__INTERFACE"), ""),
    "LANG": "fr_FR.UTF-8",
    "PYTHONIOENCODING": "utf-8",  # where the machine has no French locale, Python would take its terminal for ASCII
}
NOTHING_HERE = (
    "erreur\u00a0: le modèle de langue (llm) ne répond pas à l’adresse {address}\u00a0: "
    "est-ce que ce service tourne\u00a0? lance-le avec `make run`\n"
)
IN_ENGLISH = "error: the language model (llm) does not answer at {address}: is it running? start it with `make run`\n"


async def asked(address: str, **variables: str) -> Ended:
    """A question, at an address where nobody is."""
    return await superwhisper("ask", "Bonjour", "--address", address, environment=FRENCH | variables)


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, NOTHING_HERE),
        ({"LANG": "en_US.UTF-8"}, IN_ENGLISH),
        ({"LANGUAGE": "en:fr"}, IN_ENGLISH),
        ({"LC_ALL": "C"}, IN_ENGLISH),
        ({"LANG": "en_US.UTF-8", "SUPERWHISPER_CLIENT__INTERFACE": "fr"}, NOTHING_HERE),
    ],
)
async def test_a_failure_is_told_in_the_language_of_the_terminal(variables: dict[str, str], expected: str) -> None:
    address = f"127.0.0.1:{free_port()}"
    ended = await asked(address, **variables)
    assert (ended.code, ended.out, ended.err) == (1, "", expected.format(address=address))


async def test_where_letters_have_no_accents_the_sentence_can_still_be_read() -> None:
    ended = await asked(f"127.0.0.1:{free_port()}", PYTHONIOENCODING="ascii")
    assert "erreur : le modele de langue (llm) ne repond pas a l'adresse 127.0.0.1" in ended.err


def nobody() -> dict[str, str]:
    """Addresses where no service is."""
    names = ("ASSISTANT", "STT", "LLM", "TTS")
    return {f"SUPERWHISPER_CLIENT__{name}__ADDRESS": f"127.0.0.1:{free_port()}" for name in names}


async def test_programs_read_the_same_in_every_language() -> None:
    addresses = nobody()
    english = await superwhisper("status", "--json", environment=FRENCH | addresses | {"LANG": "en_GB.UTF-8"})
    french = await superwhisper("status", "--json", environment=FRENCH | addresses)
    assert [service["state"] for service in json.loads(french.out)["services"]] == ["no answer"] * 4
    assert french == english


async def test_people_read_states_and_headings_in_french() -> None:
    status = await superwhisper("status", environment=FRENCH | nobody())
    assert status.out.count("pas de réponse\n") == 4
    models = await superwhisper("models", "list", environment=FRENCH)
    assert models.out.split()[:6] == ["nom", "état", "taille", "licence", "profils", "usage"]


async def test_what_the_system_says_about_a_file_is_french_too(tmp_path: Path) -> None:
    missing = tmp_path / "rien.json"
    ended = await superwhisper("ask", "--schema", missing, "Bonjour", environment=FRENCH)
    expected = f"erreur\u00a0: lecture impossible de {missing}\u00a0: ce fichier ou ce dossier n’existe pas\n"
    assert (ended.code, ended.err) == (1, expected)


async def test_help_is_french_and_its_commands_are_as_they_are_typed() -> None:
    whole = await superwhisper("--help", environment=FRENCH | {"COLUMNS": "150"})
    assert "Écrit ce qui est dit dans des enregistrements." in whole.out
    of_ask = await superwhisper("ask", "--help", environment=FRENCH | {"COLUMNS": "150"})
    assert "Une grammaire GBNF" in of_ask.out
    assert "Exemples\u00a0:" in of_ask.out
    assert 'superwhisper ask "Why is the sky blue?"' in of_ask.out


async def test_an_option_wins_over_the_terminal() -> None:
    ended = await superwhisper("--interface", "en", "status", environment=FRENCH | nobody())
    assert ended.out.count("no answer\n") == 4
