"""The `superwhisper` command."""

import os
import sys
from pathlib import Path
from typing import Annotated, Literal

os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # before gRPC is imported: its own log lines are not for people

import typer

from client import messages
from client.commands import CommandList
from client.letters import show_nearest
from client.messages import tr
from client.options import Common, examples

_INTERFACE = "SUPERWHISPER_CLIENT__INTERFACE"  # a setting that counts before the settings are read: `--help` reads none

app = typer.Typer(
    cls=CommandList,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples("talk", 'say "Bonjour." --out bonjour.wav', "status --wait 30", "COMMAND --help"),
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version  # noqa: PLC0415  # it loads half of what reads mail

        typer.echo(version("superwhisper"))
        raise typer.Exit


def _speak(interface: str | None) -> str | None:
    if interface:
        messages.speak(interface)
    return interface


@app.callback()
def superwhisper(
    context: typer.Context,
    *,
    config: Annotated[Path | None, typer.Option(metavar="FILE", help="A YAML file with settings of your own.")] = None,
    ca: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Connect by TLS to services whose certificate this CA has signed (PEM)."),
    ] = None,
    token_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The file with the token that the services ask for.")
    ] = None,
    interface: Annotated[
        Literal["en", "fr"] | None,
        typer.Option(callback=_speak, is_eager=True, help="Language of this program, if not the terminal's."),
    ] = None,
    show_version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Tell the version.")
    ] = False,
) -> None:
    """A voice assistant that runs entirely on its owner's machine: talk with it, or use its parts alone.

    Where the services are is said in the section `client` of the settings.

    Variables such as SUPERWHISPER_CLIENT__ASSISTANT__ADDRESS win over it, and --address of a command over both.
    """
    context.obj = Common(config, ca, token_file, interface or "")


def main() -> None:
    """Runs the command: 0 when it did what was asked, 1 with a sentence when it could not, 130 after Ctrl-C.

    128 and its number after another signal that ends programs.
    """
    _open_closed_streams()
    show_nearest((sys.stdout, sys.stderr))
    messages.speak(os.environ.get(_INTERFACE) or messages.of_this_person())
    try:
        app()
    except Exception as error:  # noqa: BLE001  # nobody should have to read a traceback who did not ask for it
        sys.stderr.write(tr("error: {problem}", problem=_sentence(error)) + "\n")
        sys.exit(1)


def _open_closed_streams() -> None:
    """Whoever closed one of them wants nothing of it."""
    nowhere = Path(os.devnull)
    sys.stdout = sys.stdout or nowhere.open("w", encoding="utf-8")
    sys.stderr = sys.stderr or nowhere.open("w", encoding="utf-8")


def _sentence(error: Exception) -> str:
    from client.errors import reason_of  # noqa: PLC0415  # they load gRPC
    from services.common.errors import SuperWhisperError  # noqa: PLC0415

    if isinstance(error, SuperWhisperError):
        return str(error)
    if isinstance(error, OSError):
        return f"{error.filename}: {reason_of(error)}" if error.filename else reason_of(error)
    if os.environ.get("PYTHONDEVMODE"):
        import traceback  # noqa: PLC0415

        traceback.print_exception(error)
    return tr("this should not happen: {error!r}; PYTHONDEVMODE=1 shows where", error=error)
