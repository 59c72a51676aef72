"""What the commands have in common: their settings, their options and their help.

A command loads its settings and services when it runs: `--help` and shells that complete a word must not wait for them.
"""

import signal
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from client import messages

if TYPE_CHECKING:
    from client.config import ClientSection
    from client.peers import Peer

T = TypeVar("T")

Address = Annotated[str, typer.Option("--address", metavar="HOST:PORT", help="Where the service is, if not as set.")]
Language = Annotated[str, typer.Option("--language", "-l", metavar="CODE", help="Such as en, fr or fr-FR.")]
Voice = Annotated[str, typer.Option("--voice", metavar="NAME", help="A voice by name, such as fr or en-us+f2.")]
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]


@dataclass(frozen=True)
class Common:
    """What was said before the command's name."""

    config: Path | None = None
    ca: Path | None = None
    token_file: Path | None = None
    interface: str = ""

    def client(self, *flags: str) -> "ClientSection":
        """The client's settings; the flags win over files and environment. From now on it speaks as they say."""
        from client.config import ClientSettings  # noqa: PLC0415
        from services.common import settings  # noqa: PLC0415

        client = settings.load(ClientSettings, (*self._flags(), *flags), program="superwhisper").client
        if client.interface:
            messages.speak(client.interface)
        return client

    def peer(self, name: str, address: str) -> tuple["ClientSection", "Peer"]:
        """The settings and the service, at the address if one is given."""
        from client.peers import Peer  # noqa: PLC0415

        client = self.client(*((f"--client.{name}.address", address) if address else ()))
        return client, Peer.of(name, client)

    def _flags(self) -> tuple[str, ...]:
        """As those of settings."""
        from client.peers import NAMES  # noqa: PLC0415

        given = {"--config": self.config, "--client.interface": self.interface}
        for service in NAMES:
            given[f"--client.{service}.credentials.tls_ca"] = self.ca
            given[f"--client.{service}.credentials.token_file"] = self.token_file
        return tuple(part for flag, value in given.items() if value for part in (flag, str(value)))


def common(context: typer.Context) -> Common:
    """What was said before the command's name."""
    found = context.find_object(Common)
    return found or Common()


def examples(*commands: str) -> str:
    """The end of a command's help."""
    # An empty line between, or the help would run them together.
    return "\n\n".join(["Examples:", *(f"  superwhisper {command}" for command in commands)])


def run(work: Coroutine[Any, Any, T]) -> T:
    """Runs the command's work. Ctrl-C, and who ends or hangs up this program, cancels it: it leaves nothing behind."""
    import asyncio  # noqa: PLC0415

    return asyncio.run(_until_ended(work))


async def _until_ended(work: Coroutine[Any, Any, T]) -> T:
    import asyncio  # noqa: PLC0415
    from contextlib import suppress  # noqa: PLC0415

    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    received: list[int] = []

    def end(number: int) -> None:
        received.append(number)
        if task is not None:
            task.cancel()

    for number in (signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)):
        if signal.getsignal(number) is signal.SIG_DFL:  # nohup has it ignored
            with suppress(NotImplementedError):  # on Windows, where nobody sends them
                loop.add_signal_handler(number, end, number)
    try:
        return await work
    except asyncio.CancelledError:
        if received:
            raise typer.Exit(128 + received[0]) from None  # as a shell tells it
        raise
