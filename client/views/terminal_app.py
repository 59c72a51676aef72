"""The full-screen view as a Textual application: widgets and keys. What they show is made in screen_text.py."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input, Static

from client.controls import Controls
from client.desk import MAX_TYPED
from client.messages import tr
from client.views import screen_text
from client.views.orders import Order, Orders
from client.views.printable import printable
from client.views.screen_model import ScreenModel
from client.views.terminal_dialogue import DialoguePane

_LEVELS_EVERY_S = 0.1
_REDRAW_EVERY_S = 0.05  # at most: a reply that streams would have it draw for every word


class Line(Static):
    """One line of the screen, drawn again only when it says something else."""

    def __init__(self, name: str, make: Callable[[ScreenModel, int], Text], model: ScreenModel) -> None:
        super().__init__(id=name, markup=False)
        self.said = Text()
        self._make = make
        self._model = model

    def on_resize(self, event: events.Resize) -> None:
        """There is more room, or less."""
        self.tell()

    def tell(self) -> None:
        """Shows what the model says now."""
        said = self._make(self._model, self.size.width)
        if said != self.said:
            self.said = said
            self.update(said, layout=False)


class TypedLine(Input):
    """Where text is typed."""

    def on_paste(self, event: events.Paste) -> None:
        """Takes all lines that were pasted, as one: the original would keep the first and drop the rest unseen."""
        event.prevent_default().stop()
        self.replace(printable(" ".join(event.text.split())), *self.selection)


class TerminalApp(App[None]):
    """The screen. It owns no task of the conversation: what keys ask for goes into `orders`."""

    ENABLE_COMMAND_PALETTE = False
    VERTICAL_BREAKPOINTS = [(0, "-low"), (20, "-high")]  # noqa: RUF012  # typed so by Textual
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c,ctrl+q", "quit", priority=True),
        Binding("escape", "stop", priority=True),
        Binding("f2,ctrl+t", "talk", priority=True),
        Binding("f3,ctrl+s", "mute", priority=True),
        Binding("pageup", "scroll_page(-1)", priority=True),
        Binding("pagedown", "scroll_page(1)", priority=True),
        Binding("up", "scroll_line(-1)", priority=True),
        Binding("down", "scroll_line(1)", priority=True),
    ]
    CSS = """
    Screen { background: ansi_default; color: ansi_default; }
    Line { height: 1; }
    DialoguePane {
        height: 1fr; background: ansi_default; color: ansi_default;
        scrollbar-size-vertical: 1; scrollbar-gutter: stable;
    }
    TypedLine, TypedLine:focus {
        background: ansi_default; background-tint: transparent; color: ansi_default;
        border: round ansi_cyan; padding: 0 1; height: 3;
    }
    TypedLine > .input--cursor { background: ansi_default; color: ansi_default; text-style: reverse; }
    .-low TypedLine, .-low TypedLine:focus { border: none; height: 1; padding: 0 1 0 12; }
    .-high #header { height: 2; }
    .-high #live { height: 2; padding: 1 0 0 0; }
    """

    def __init__(self, model: ScreenModel, controls: Controls, orders: Orders, changed: asyncio.Event) -> None:
        super().__init__(ansi_color=True)  # the terminal's own colours, whichever they are
        self.theme = "ansi-dark"
        self.title = "SuperWhisper"
        self._model = model
        self._controls = controls
        self._orders = orders
        self._changed = changed
        self.dialogue = DialoguePane()
        self.lines = [
            Line("header", screen_text.header, model),
            Line("live", screen_text.live, model),
            Line("meters", screen_text.meters, model),
            Line("times", screen_text.times, model),
            Line("hints", screen_text.hints, model),
        ]
        self.typed = TypedLine(placeholder=tr("type here"))

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        header, live, meters, times, hints = self.lines
        yield header
        yield self.dialogue
        yield from (live, meters, times)
        yield self.typed
        yield hints

    def on_mount(self) -> None:
        """Begins to keep up with the model."""
        # Textual chooses another on newer Pythons; the conversation's tasks must begin as they do everywhere else.
        asyncio.get_running_loop().set_task_factory(None)
        self.typed.cursor_blink = False  # nothing is drawn while nothing happens
        self.typed.focus()
        self.set_interval(_LEVELS_EVERY_S, self.measure)
        self.run_worker(self._keep_up())

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter: the line becomes a turn, unless it is too long."""
        text = event.value.strip()
        if len(text) > MAX_TYPED:
            self._tell_trouble(tr("{count} characters are too many: {limit} at most", count=len(text), limit=MAX_TYPED))
        elif text and self._order(partial(self._controls.type, text)):
            self.typed.clear()

    def action_stop(self) -> None:
        """Stops the reply."""
        self._order(self._controls.interrupt)

    def action_talk(self) -> None:
        """The key for talking."""
        self._order(self._controls.press)

    def action_mute(self) -> None:
        """Mutes the microphone, or opens it again."""
        self._order(self._toggle_mute)

    def action_scroll_page(self, direction: int) -> None:
        """Scrolls the dialogue; a line of it stays in sight."""
        self.dialogue.scroll_lines(direction * max(self.dialogue.size.height - 1, 1))

    def action_scroll_line(self, direction: int) -> None:
        """Scrolls the dialogue by a line."""
        self.dialogue.scroll_lines(direction)

    def redraw(self) -> None:
        """Shows what the model says now."""
        self._tell_lines()
        self.dialogue.tell(self._model.dialogue)

    async def _keep_up(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            self.redraw()
            await asyncio.sleep(_REDRAW_EVERY_S)

    def measure(self) -> None:
        """Shows how loud it is."""
        levels = self._controls.levels
        muted = self._controls.is_muted
        if self._model.measure(levels.microphone_dbfs, levels.loudspeaker_dbfs, is_muted=muted):
            self._tell_lines()

    def _tell_lines(self) -> None:
        for line in self.lines:
            line.tell()

    async def _toggle_mute(self) -> None:
        await self._controls.mute(muted=not self._controls.is_muted)

    def _order(self, order: Order) -> bool:
        has_room = self._orders.give(order)
        if not has_room:
            self._tell_trouble(tr("the assistant does not keep up: wait a little"))
        return has_room

    def _tell_trouble(self, sentence: str) -> None:
        self._model.trouble(sentence)
        self._changed.set()
