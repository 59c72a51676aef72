"""French says all that English says: each sentence, each help text, with the same values, once, well set."""

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import pytest
import typer
from typer.main import get_command

from client import french
from client.cli import app
from client.commands import COMMANDS
from client.french import CATALOGUE
from tests.support.sentences import fields_of, patched_up, translated, untranslated

# What a person reads aloud is in the language that the person speaks, whatever the interface's is.
SPOKEN_LINES = "client/validation/steps.py"
NEVER_TRANSLATED = {
    "VALIDATION HUMAINE AUDIO",  # what the report is called in every language
    "> **NOT A HUMAN VALIDATION** — {}.",  # whoever searches the reports finds it by this
    # States, as `status --json` tells them.
    *("no answer", "another service answers there"),
    # How others put it: the benchmark in its figures, a service that refuses to start.
    *(
        "Added to the engines",
        "Turns in a row with the embedded engines",
        "cut off",
        "voice to voice",
        "can be reached by others",
    ),
}


def catalogues() -> dict[str, dict[str, str]]:
    """By the module that holds it."""
    names = [module.name for module in iter_modules(french.__path__)]
    return {name: import_module(f"client.french.{name}").SENTENCES for name in names}


def test_what_is_translated_can_be_found() -> None:
    assert not list(patched_up()), "tr() takes the whole sentence, in which {names} stand for values"


def test_every_sentence_gets_the_values_that_it_names() -> None:
    wrong = [
        f"{told.place}: {told.sentence!r} gets {sorted(told.values)}"
        for told in translated()
        if told.values is not None and told.values != fields_of(told.sentence)
    ]
    assert not wrong, "\n".join(wrong)


def test_every_sentence_is_there_in_french() -> None:
    missing = [f"{told.place}: {told.sentence!r}" for told in translated() if told.sentence not in CATALOGUE]
    assert not missing, "\n".join(["without French, in client/french:", *missing])


def test_french_names_the_same_values() -> None:
    wrong = [
        f"{told.place}: {told.sentence!r} → {CATALOGUE[told.sentence]!r}"
        for told in translated()
        if fields_of(CATALOGUE.get(told.sentence, told.sentence)) != fields_of(told.sentence)
    ]
    assert not wrong, "\n".join(wrong)


def test_all_that_is_told_goes_through_tr() -> None:
    right = NEVER_TRANSLATED | {text for _, text in helps()}
    bare = [
        f"{told.place}: {told.sentence!r}"
        for told in untranslated()
        if told.sentence not in right and not told.place.startswith(f"{SPOKEN_LINES}:")
    ]
    assert not bare, "\n".join(["sentences that are not translated:", *bare])


def test_no_french_is_left_over() -> None:
    used = {told.sentence for told in translated()} | {text for _, text in helps()} | words_of_the_command_line()
    unused = [f"client/french/{name}.py: {key!r}" for name, of in catalogues().items() for key in of if key not in used]
    assert not unused, "\n".join(["French for what nobody tells:", *unused])


def test_no_sentence_has_two_translations() -> None:
    seen: dict[str, tuple[str, str]] = {}
    twice = []
    for name, sentences in catalogues().items():
        for english, translation in sentences.items():
            before = seen.setdefault(english, (name, translation))
            if before != (name, translation):
                twice.append(f"{english!r} in {before[0]} and {name}")
    assert not twice, "\n".join(twice)


# --- help


def helps() -> Iterator[tuple[str, str]]:
    """Each text of the commands' help, with where it stands."""
    yield from _helps("superwhisper", get_command(app))
    for name, listed in COMMANDS.items():
        yield f"the list of commands: {name}", listed.summary
        yield from _helps(f"superwhisper {name}", listed.load(name))


def _helps(where: str, command: Any) -> Iterator[tuple[str, str]]:
    for paragraph in (command.help or "").split("\n\n"):
        yield where, " ".join(paragraph.split())
    yield where, (command.epilog or "").partition("\n")[0]
    for parameter in command.params:
        yield f"{where} {parameter.name}", getattr(parameter, "help", None) or ""
    for name, inner in getattr(command, "commands", {}).items():
        yield from _helps(f"{where} {name}", inner)


def words_of_the_command_line() -> set[str]:
    """What typer itself says, such as "Options"."""
    folder = Path(typer.__file__).parent
    modules = [ast.parse(path.read_text(encoding="utf-8")) for path in folder.rglob("*.py")]
    constants = (node.value for tree in modules for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return {value for value in constants if isinstance(value, str)}


def test_all_help_is_there_in_french() -> None:
    missing = sorted({f"{where}: {text!r}" for where, text in helps() if text and text not in CATALOGUE})
    assert not missing, "\n".join(["help without French, in client/french:", *missing])


# --- typography

CODE = re.compile(r"`[^`]*`|\{[^}]*\}|\bhf:")
WRONG = {
    "a space is missing before": re.compile(r"[^\s?!:;…(«][?!;:»](?:\s|$)"),
    "an ordinary space stands before": re.compile(r" [?!:;»%]"),
    "an ordinary space stands after": re.compile(r"« "),
    "a space stands before": re.compile(r"\s(?:,|\.(?!\w))|\(\s|\s\)"),
    "a quotation mark is English": re.compile(r"[\"“”]"),
    "an apostrophe is a foot": re.compile(r"\w'\w"),
    "two spaces": re.compile(r"\s\s"),
}


@pytest.mark.parametrize("problem", WRONG)
def test_french_typography(problem: str) -> None:
    told = {key: CODE.sub("X", sentence) for key, sentence in CATALOGUE.items()}
    wrong = [f"{sentence!r}: {match[0]!r}" for sentence in told.values() if (match := WRONG[problem].search(sentence))]
    assert not wrong, "\n".join([f"{problem}:", *wrong])
