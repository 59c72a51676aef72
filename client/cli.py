"""The `superwhisper` command."""

import io
import os
import sys
import traceback
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # before gRPC is imported: its own log lines are not for people

import typer

from client import ask, say, status, talk, transcribe
from client.models_cli import app as models_app
from client.options import Common, examples
from services.common.errors import SuperWhisperError

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples("talk", 'say "Bonjour." --out bonjour.wav', "status --wait 30", "COMMAND --help"),
)
app.command(epilog=talk.EXAMPLES)(talk.talk)
app.command(epilog=transcribe.EXAMPLES)(transcribe.transcribe)
app.command(epilog=ask.EXAMPLES)(ask.ask)
app.command(epilog=say.EXAMPLES)(say.say)
app.command(epilog=status.EXAMPLES)(status.status)
app.add_typer(models_app, name="models")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(version("superwhisper"))
        raise typer.Exit


@app.callback()
def superwhisper(
    context: typer.Context,
    config: Annotated[Path | None, typer.Option(metavar="FILE", help="A YAML file with settings of your own.")] = None,
    show_version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Tell the version.")
    ] = False,
) -> None:
    """A voice assistant that runs entirely on its owner's machine: talk with it, or use its parts alone.

    Where the services are is said in the section `client` of the settings.

    Variables such as SUPERWHISPER_CLIENT__ASSISTANT__ADDRESS win over it, and --address of a command over both.
    """
    context.obj = Common(config)


def main() -> None:
    """Runs the command: 0 when it did what was asked, 1 with a sentence when it could not, 130 after Ctrl-C."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that knows no "é" shows a question mark
    try:
        app()
    except SuperWhisperError as error:
        _fail(str(error))
    except OSError as error:
        _fail(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    except Exception as error:  # noqa: BLE001  # nobody should have to read a traceback who did not ask for it
        if os.environ.get("PYTHONDEVMODE"):
            traceback.print_exc()
        _fail(f"this should not happen: {error!r}; PYTHONDEVMODE=1 shows where")


def _fail(sentence: str) -> None:
    sys.stderr.write(f"error: {sentence}\n")
    sys.exit(1)
