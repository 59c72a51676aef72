"""What the commands have in common: their settings, their options and their help."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from client.config import ClientSection, ClientSettings
from client.peers import Peer
from services.common import settings

T = TypeVar("T")

Address = Annotated[str, typer.Option("--address", metavar="HOST:PORT", help="Where the service is, if not as set.")]
Language = Annotated[str, typer.Option("--language", "-l", metavar="CODE", help="Such as en, fr or fr-FR.")]
Voice = Annotated[str, typer.Option("--voice", metavar="NAME", help="A voice by name, such as fr or en-us+f2.")]
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]


@dataclass(frozen=True)
class Common:
    """What was said before the command's name."""

    config: Path | None = None

    def client(self, *flags: str) -> ClientSection:
        """The client's settings; the flags win over files and environment."""
        of_file = ("--config", str(self.config)) if self.config else ()
        return settings.load(ClientSettings, (*of_file, *flags), program="superwhisper").client

    def peer(self, name: str, address: str) -> tuple[ClientSection, Peer]:
        """The settings and the service, at the address if one is given."""
        client = self.client(*((f"--client.{name}.address", address) if address else ()))
        return client, Peer.of(name, client)


def common(context: typer.Context) -> Common:
    """What was said before the command's name."""
    found = context.find_object(Common)
    return found or Common()


def examples(*commands: str) -> str:
    """The end of a command's help."""
    # An empty line between, or the help would run them together.
    return "\n\n".join(["Examples:", *(f"  superwhisper {command}" for command in commands)])


def run(work: Coroutine[Any, Any, T]) -> T:
    """Runs the command's work; Ctrl-C cancels it and leaves nothing behind."""
    return asyncio.run(work)
