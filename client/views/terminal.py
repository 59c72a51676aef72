"""The full-screen view, before, while and after it is seen."""

import asyncio
import os
import sys
from typing import TYPE_CHECKING

from client.config import Listening
from client.controls import Controls
from client.errors import CommandError
from client.events import Event, ReplyAudio
from client.messages import tr
from client.views import sentences
from client.views.console import PeopleConsole
from client.views.dialogue import Who
from client.views.orders import Orders
from client.views.screen_model import ScreenModel
from client.views.screen_text import entry_lines
from client.views.text_view import TextView
from services.common.tasks import first_error

if TYPE_CHECKING:
    from client.views.terminal_app import TerminalApp


_LOOK_EVERY_S = 1.0


def fits_here() -> bool:
    """Whether there is a terminal that can show a full screen, and take keys."""
    streams = (sys.stdin, sys.stdout, sys.stderr)  # Textual draws on the last one
    return all(stream.isatty() for stream in streams) and os.environ.get("TERM") not in ("dumb", "unknown")


class TerminalView:
    """For people at a terminal. Told before `run`, it keeps what it is told; told after it, it writes plain lines."""

    def __init__(self, listening: Listening = Listening.CONTINUOUS, wake_word: str = "") -> None:
        self._model = ScreenModel(listening, wake_word)
        self._changed = asyncio.Event()
        self._console = PeopleConsole()
        self._afterwards: TextView | None = None

    def show(self, event: Event) -> None:
        """The assistant told something."""
        if self._afterwards is not None:
            self._afterwards.show(event)
        elif not isinstance(event.what, ReplyAudio):  # there is nothing to see of it
            self._model.show(event)
            self._changed.set()

    def note(self, text: str) -> None:
        """The client has something to say about itself."""
        if self._afterwards is not None:
            self._afterwards.note(text)
        else:
            self._model.note(text)
            self._changed.set()

    def ask_for_text(self) -> None:
        """There is always a line to type in."""

    def reply_file(self, path: str, duration_s: float) -> None:
        """The reply audio was written."""
        self.note(sentences.of_file(path, duration_s))

    async def run(self, controls: Controls) -> None:
        """The full screen, until the person quits. Then the terminal is as it was, and the dialogue stands there."""
        orders = Orders()
        app = self.application(controls, orders)
        try:
            async with asyncio.TaskGroup() as group:
                carrying = group.create_task(orders.carry_out(), name="orders")
                screen = group.create_task(_shown(app, carrying), name="screen")
                watching = group.create_task(_gone(), name="terminal")
                await asyncio.wait((screen, watching), return_when=asyncio.FIRST_COMPLETED)
                watching.cancel()
                if not screen.done():
                    raise CommandError(tr("the terminal is gone"))
        except BaseExceptionGroup as errors:
            raise first_error(errors) from None
        finally:
            self._afterwards = TextView(self._console)
            self._leave_behind()

    def application(self, controls: Controls, orders: Orders) -> "TerminalApp":
        """The screen itself; `run` shows it, and carries out the orders."""
        from client.views.terminal_app import TerminalApp  # noqa: PLC0415  # Textual is for those who see it

        return TerminalApp(self._model, controls, orders, self._changed)

    def _leave_behind(self) -> None:
        for entry in self._model.dialogue:
            if entry.who is Who.PERSON:
                self._console.print()
            for line in entry_lines(entry, self._console.width, self._console):
                self._console.print(line, no_wrap=True)


async def _gone() -> None:
    """Returns when there is no terminal any more. Nobody else notices where no SIGHUP tells of it."""
    while True:
        await asyncio.sleep(_LOOK_EVERY_S)
        if not sys.stdin.isatty():
            return


async def _shown(app: "TerminalApp", carrying: "asyncio.Task[None]") -> None:
    await app.run_async(mouse=False)  # so the terminal's own selecting and scrolling work as everywhere else
    carrying.cancel()
    if app.return_code:
        raise CommandError(tr("the screen could not be drawn: `superwhisper talk --plain` does without it"))
