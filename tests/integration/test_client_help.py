"""Help in the person's language, and shells that complete what is typed."""

import asyncio
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from client.cli import app
from client.commands import COMMANDS
from client.french import CATALOGUE
from tests.support.client_command import superwhisper
from tests.support.shared_data import REPOSITORY

_INTERFACE = "SUPERWHISPER_CLIENT__INTERFACE"
_FRENCH = {"LC_ALL": "fr_FR.UTF-8", "LANGUAGE": "", _INTERFACE: "", "COLUMNS": "200"}
_ENGLISH = {**_FRENCH, "LC_ALL": "en_US.UTF-8"}
# As the script that pip installs: shells know the command by its name.
_INSTALLED = "import sys; sys.argv[0] = 'superwhisper'; from client.cli import main; main()"


async def _as_installed(*arguments: str | Path, **environment: str) -> tuple[str, str]:
    """What it writes on stdout and on stderr where nobody set anything."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("SUPERWHISPER_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _INSTALLED, *map(str, arguments)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=REPOSITORY,
        env={**inherited, **environment},
    )
    out, err = await process.communicate()
    return out.decode(), err.decode()


async def _completed(line: str) -> list[str]:
    """What bash is offered for the last word of the line."""
    words = {"COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))}
    out, _ = await _as_installed(**words, _SUPERWHISPER_COMPLETE="complete_bash")
    return out.split()


# --- language


async def test_help_is_in_the_language_of_the_terminal() -> None:
    ended = await superwhisper("--help", environment=_FRENCH)
    assert ended.code == 0
    for told in (
        "Affiche cette aide.",
        "─ Commandes ─",
        "Exemples",
        "Dit la version.",
        CATALOGUE["Talk with the assistant."],
    ):
        assert told in ended.out
    assert "Talk with the assistant." not in ended.out
    assert "superwhisper talk" in ended.out


async def test_so_is_the_help_of_a_command_and_of_those_in_it() -> None:
    ended = await superwhisper("status", "--help", environment=_FRENCH)
    assert "Pour les programmes." in ended.out
    assert "superwhisper status --wait 60" in ended.out
    ended = await superwhisper("models", "pull", "--help", environment=_FRENCH)
    assert "Affiche cette aide." in ended.out
    assert "Fetch models" not in ended.out


@pytest.mark.parametrize(
    ("arguments", "environment", "is_french"),
    [
        ((), _ENGLISH, False),
        ((), {**_ENGLISH, _INTERFACE: "fr"}, True),
        ((), {**_FRENCH, _INTERFACE: "en"}, False),
        (("--interface", "fr"), _ENGLISH, True),
        (("--interface", "en"), {**_FRENCH, _INTERFACE: "fr"}, False),
    ],
)
async def test_the_option_wins_over_the_setting_and_that_over_the_terminal(
    arguments: tuple[str, ...], environment: dict[str, str], is_french: bool
) -> None:
    ended = await superwhisper(*arguments, "--help", environment=environment)
    assert ("Affiche cette aide." in ended.out) is is_french
    ended = await superwhisper(*arguments, "ask", " ", environment=environment)
    assert ended.err.startswith("erreur" if is_french else "error: ")


async def test_a_file_of_settings_may_say_the_language(tmp_path: Path) -> None:
    config = tmp_path / "mine.yaml"
    config.write_text("client: {interface: fr}\n", encoding="utf-8")
    _, err = await _as_installed("--config", config, "ask", " ", LC_ALL="en_US.UTF-8")
    assert err.startswith("erreur")


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_all_that_help_shows_has_its_french(name: str) -> None:
    command = COMMANDS[name].load(name) if name else typer.main.get_command(app)
    missing = [told for told in _shown(command) if told not in CATALOGUE]
    assert missing == []


def _shown(command: Any) -> Iterator[str]:
    """The paragraphs of a command's help, of its options and of the commands in it."""
    texts = [command.help, *(option.help for option in command.params)]
    for text in filter(None, texts):
        yield from (" ".join(paragraph.split()) for paragraph in text.split("\n\n"))
    for inner in getattr(command, "commands", {}).values():
        yield from _shown(inner)


# --- completion


@pytest.mark.parametrize(
    ("shell", "part"),
    [("bash", "complete -o default -F"), ("zsh", "#compdef superwhisper"), ("fish", "complete --command superwhisper")],
)
async def test_each_shell_is_given_its_script(shell: str, part: str) -> None:
    script, _ = await _as_installed("--show-completion", shell, _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
    assert part in script
    assert "_SUPERWHISPER_COMPLETE=complete_" in script


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("superwhisper ta", ["talk"]),
        ("superwhisper s", ["say", "status"]),
        ("superwhisper talk --la", ["--language"]),
        ("superwhisper status --wa", ["--wait"]),
        ("superwhisper models pu", ["pull"]),
        ("superwhisper --interface ", ["en", "fr"]),
    ],
)
async def test_bash_completes_commands_options_and_choices(line: str, offered: list[str]) -> None:
    assert await _completed(line) == offered
