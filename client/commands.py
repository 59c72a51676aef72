"""The commands of `superwhisper`. Each is loaded when it is run: what all of them need together is a lot."""

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command, get_group

from client.help import translate
from client.messages import tr


@dataclass(frozen=True)
class Listed:
    """A command that can be found: its function, or its Typer app where it has commands of its own."""

    module: str
    attribute: str
    summary: str  # as in its own help, which is loaded only to be shown

    def load(self, name: str) -> Any:
        """The command itself."""
        module = import_module(self.module)
        found = getattr(module, self.attribute)
        if isinstance(found, typer.Typer):
            return get_group(found)
        app = typer.Typer(add_completion=False)
        app.command(name, epilog=module.EXAMPLES)(found)
        return get_command(app)


COMMANDS = {
    "talk": Listed("client.talk", "talk", "Talk with the assistant."),
    "transcribe": Listed("client.transcribe", "transcribe", "Write down what is said in recordings."),
    "ask": Listed("client.ask", "ask", "Ask the language model something, and read its reply as it is written."),
    "say": Listed("client.say", "say", "Say a text."),
    "status": Listed(
        "client.status", "status", "Tell which of the four services serve. Exit code 0 if all of them do."
    ),
    "models": Listed(
        "client.models_cli", "app", "Fetch, list and check models. No running service ever downloads one."
    ),
    "devices": Listed(
        "client.devices_cli",
        "devices",
        "List microphones and loudspeakers, or test those that are used.",
    ),
    "doctor": Listed(
        "client.doctor.command",
        "doctor",
        "Look for everything that is commonly wrong, and tell how to mend it. Exit code 1 if something cannot work.",
    ),
    "validate": Listed(
        "client.validation.command", "validate", "Validate the assistant by ear: say what is shown, listen, and judge."
    ),
    "go-nogo": Listed(
        "client.validation.go_nogo_command",
        "go_nogo",
        "Tell whether a release may go, and on what evidence. Exit code 0 for a go, 1 for a no-go.",
    ),
}


class CommandList(TyperGroup):
    """Lists commands that are not loaded, and loads the one that is run."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for name in COMMANDS:
            self.add_command(TyperCommand(name))

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command as it is listed."""
        if cmd_name not in COMMANDS:
            return None
        return TyperCommand(cmd_name, help=tr(COMMANDS[cmd_name].summary), rich_help_panel=tr("Commands"))

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """The command that is to run, in the language of the person who may want its help."""
        name, listed, rest = super().resolve_command(ctx, args)
        if name is None or listed is None:
            return name, listed, rest
        command = COMMANDS[name].load(name)
        translate(command, ctx)
        return name, command, rest

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """The help, in the person's language."""
        translate(self, ctx)
        super().format_help(ctx, formatter)
