"""What `--help` shows, in the person's language. The texts stand in English where the options are."""

from typing import Any

from client.messages import tr


def translate(command: Any, context: Any) -> None:
    """Puts the help of a command of Typer's, of its options and of its own commands into the person's language."""
    command.help = _told(command.help)
    command.epilog = _told(command.epilog)
    for shown in (*command.params, command.get_help_option(context)):
        if shown is not None and shown.help:
            shown.help = _told(shown.help)
    for inner in getattr(command, "commands", {}).values():
        inner.rich_help_panel = tr("Commands")
        translate(inner, context)


def _told(text: str | None) -> str | None:
    """The text, paragraph by paragraph: as in a docstring, a line of which ends where the page does."""
    if not text:
        return text
    return "\n\n".join(_paragraph(paragraph) for paragraph in text.split("\n\n"))


def _paragraph(english: str) -> str:
    one_line = " ".join(english.split())
    told = tr(one_line)
    return english if told == one_line else told  # what is not translated keeps its indentation: examples
