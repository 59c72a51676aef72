"""The full-screen view in a process of its own: `python -m tests.support.shown_terminal [cancel|fail|break]`.

What its keys do stands on the screen as notes. With `cancel` it is cancelled by the first typed line, with `fail` what
was typed cannot be sent, and with `break` it is given something else than levels.
"""

import asyncio
import sys

import typer

from client.errors import CommandError
from client.events import Event, ReplyText, SessionOpened, State, StateChanged, Transcript
from client.options import run
from client.views.terminal import TerminalView, fits_here
from tests.fakes.controls import NotedControls


class _ToldControls(NotedControls):
    """Tells in the view what was done."""

    def __init__(self, view: TerminalView, mode: str) -> None:
        super().__init__(failure=CommandError("it cannot be sent") if mode == "fail" else None)
        if mode == "break":
            del self.levels
        self._view = view
        self._task = asyncio.current_task() if mode == "cancel" else None

    async def type(self, text: str) -> None:
        await super().type(text)
        self._view.note(f"done: {self.done[-1]}")
        if self._task is not None:
            self._task.cancel()

    async def interrupt(self) -> None:
        await super().interrupt()
        self._view.note("done: interrupt")

    async def mute(self, *, muted: bool) -> None:
        await super().mute(muted=muted)
        self._view.note(f"done: {self.done[-1]}")

    async def press(self) -> None:
        await super().press()
        self._view.note("done: press")


async def _show(mode: str) -> None:
    view = TerminalView()
    for what in (
        SessionOpened("s1", "", resumed=False, output_rate_hz=None),
        StateChanged(State.LISTENING),
        Transcript("what was said", is_final=True),
        ReplyText("what was replied"),
    ):
        view.show(Event("t1", what))
    try:
        await view.run(_ToldControls(view, mode))
    finally:
        view.note("told afterwards")
        view.show(Event("t2", ReplyText("replied afterwards")))


if __name__ == "__main__":
    if not fits_here():
        sys.exit("no terminal")
    try:
        run(_show("".join(sys.argv[1:])))
    except typer.Exit as ended:
        sys.exit(ended.exit_code)
    except CommandError as error:
        sys.exit(f"\nerror: {error}")
    except asyncio.CancelledError:
        sys.exit("\ncancelled")
