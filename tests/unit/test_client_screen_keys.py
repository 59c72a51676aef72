"""The full-screen view as an application: keys, typed lines, sizes, floods. Textual's own pilot plays the person."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from textual import events
from textual.pilot import Pilot

from client.config import Listening
from client.desk import MAX_TYPED
from client.events import (
    ConnectionLost,
    Event,
    Interrupted,
    ReplyText,
    SessionOpened,
    State,
    StateChanged,
    Transcript,
    What,
)
from client.views.orders import Orders
from client.views.terminal import TerminalView
from client.views.terminal_app import TerminalApp
from tests.fakes.controls import NotedControls
from tests.support.waiting import wait_until

HOSTILE = "\x1b]0;owned\x07\x1b[2J\x1b[H\r\u202egnp.exe\x9b31m"


@dataclass
class Screen:
    """A view that is seen, and what was done with it."""

    view: TerminalView
    app: TerminalApp
    pilot: Pilot[None]
    controls: NotedControls
    orders: Orders

    def tell(self, *events: What) -> None:
        for what in events:
            self.view.show(Event("t1", what))

    def line(self, name: str) -> str:
        return next(line.said.plain for line in self.app.lines if line.id == name)

    async def until(self, text: str) -> None:
        await wait_until(lambda: text in self.app.dialogue.text, repr(text))

    async def until_line(self, name: str, text: str) -> None:
        await wait_until(lambda: text in self.line(name), repr(text))


@asynccontextmanager
async def seen(
    size: tuple[int, int] = (80, 24), listening: Listening = Listening.CONTINUOUS, *before: What
) -> AsyncIterator[Screen]:
    view, controls, orders = TerminalView(listening), NotedControls(), Orders()
    for what in before:
        view.show(Event("t1", what))
    app = view.application(controls, orders)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()  # until all is where it stays
        yield Screen(view, app, pilot, controls, orders)


async def carried_out(screen: Screen, count: int = 1) -> list[str]:
    """What the keys asked for, carried out as `TerminalView.run` does it."""
    for _ in range(count):
        await screen.orders.carry_out_next()
    return screen.controls.done


async def test_what_was_told_before_it_is_seen_is_shown() -> None:
    async with seen((80, 24), Listening.CONTINUOUS, Transcript("earlier", is_final=True)) as screen:
        await screen.until("you  earlier")


async def test_what_is_told_is_shown() -> None:
    async with seen() as screen:
        screen.tell(SessionOpened("s", "", resumed=False, output_rate_hz=None), StateChanged(State.LISTENING))
        await screen.until_line("header", "LISTENING   ● connected")
        screen.tell(Transcript("what", is_final=False))
        await screen.until_line("live", "… what".replace(" ", "  "))
        screen.tell(Transcript("what?", is_final=True), ReplyText("I am"), ReplyText(" here."))
        await screen.until("assistant  I am here.")
        screen.tell(Interrupted("I am"))
        await screen.until("I am here. (interrupted)")
        screen.tell(ConnectionLost(15))
        await screen.until_line("header", "connection lost; trying for 15 s")
        screen.view.note("a note")
        await screen.until("·  a note")


@pytest.mark.parametrize(
    ("key", "done"),
    [("escape", "interrupt"), ("f2", "press"), ("ctrl+t", "press"), ("f3", "mute"), ("ctrl+s", "mute")],
)
async def test_keys(key: str, done: str) -> None:
    async with seen() as screen:
        await screen.pilot.press(key)
        assert await carried_out(screen) == [done]


async def test_muting_is_seen_and_undone_by_the_same_key() -> None:
    async with seen() as screen:
        screen.tell(StateChanged(State.LISTENING))
        await screen.pilot.press("f3")
        await carried_out(screen)
        await screen.until_line("header", "MUTED")
        await screen.until_line("hints", "unmute")
        await screen.pilot.press("f3")
        assert await carried_out(screen) == ["mute", "unmute"]
        await screen.until_line("header", "LISTENING")


@pytest.mark.parametrize("key", ["ctrl+q", "ctrl+c"])
async def test_quitting(key: str) -> None:
    async with seen() as screen:
        await screen.pilot.press("h", "i", key)
        await wait_until(lambda: not screen.app.is_running, "the end")
        assert screen.app.return_code == 0


async def test_a_typed_line_is_sent_and_the_field_is_empty_again() -> None:
    async with seen() as screen:
        await screen.pilot.press(*"hello", "enter")
        assert await carried_out(screen) == ["type hello"]
        assert screen.app.typed.value == ""


async def test_an_empty_line_is_not_sent() -> None:
    async with seen() as screen:
        await screen.pilot.press("space", "enter")
        assert not screen.orders.is_waiting


async def test_a_line_that_is_too_long_is_told_and_stays_to_be_shortened() -> None:
    async with seen() as screen:
        screen.app.typed.value = "x" * (MAX_TYPED + 1)
        await screen.pilot.press("enter")
        await screen.until("4001 characters are too many: 4000 at most")
        assert not screen.orders.is_waiting
        await screen.pilot.press("backspace", "enter")
        assert await carried_out(screen) == ["type " + "x" * MAX_TYPED]


async def test_an_assistant_that_does_not_keep_up_is_told_and_the_line_stays() -> None:
    async with seen() as screen:
        await screen.pilot.press(*["escape"] * 10, *"hello", "enter")
        await screen.until("the assistant does not keep up: wait a little")
        assert screen.app.typed.value == "hello"
        assert await carried_out(screen, 10) == ["interrupt"] * 10


async def test_all_lines_of_what_is_pasted_are_kept_and_nothing_else() -> None:
    async with seen() as screen:
        screen.app.typed.value = "so: "
        screen.app.typed.cursor_position = 4
        screen.app.typed.post_message(events.Paste("one\ntwo\r\n\x1b[31mthree\t"))
        await wait_until(lambda: screen.app.typed.value != "so: ", "what was pasted")
        assert screen.app.typed.value == "so: one two  [31mthree"


async def test_scrolling_up_stays_there_and_at_the_end_it_follows_again() -> None:
    async with seen() as screen:
        for number in range(100):
            screen.view.note(f"note {number}")
        await screen.until("note 99")
        dialogue = screen.app.dialogue
        assert dialogue.scroll_offset.y == dialogue.max_scroll_y > 0
        await screen.pilot.press("pageup", "up")
        there = dialogue.scroll_offset.y
        assert there == dialogue.max_scroll_y - dialogue.size.height
        screen.view.note("news")
        await screen.until("news")
        assert dialogue.scroll_offset.y == there
        await screen.pilot.press("pagedown", "pagedown", "down")
        screen.view.note("more news")
        await screen.until("more news")
        assert dialogue.scroll_offset.y == dialogue.max_scroll_y


@pytest.mark.parametrize("size", [(60, 15), (80, 24), (200, 60)])
async def test_everything_is_there_at_any_size(size: tuple[int, int]) -> None:
    async with seen() as screen:
        await screen.pilot.resize_terminal(*size)
        screen.view.note("the last line")
        await screen.until("the last line")
        await screen.pilot.pause()
        regions = [widget.region for widget in (*screen.app.lines, screen.app.typed, screen.app.dialogue)]
        assert all(region.height >= 1 and region.bottom <= size[1] for region in regions)
        assert screen.app.dialogue.size.height >= 8
        assert all(len(line) <= size[0] for line in screen.app.dialogue.text.splitlines())


@pytest.mark.parametrize("size", [(10, 4), (1, 1)])
async def test_a_terminal_too_small_to_read_breaks_nothing(size: tuple[int, int]) -> None:
    async with seen() as screen:
        screen.tell(Transcript("what is it?", is_final=True), ReplyText("nothing " * 50))
        await screen.pilot.resize_terminal(*size)
        await screen.pilot.pause()
        await screen.pilot.resize_terminal(80, 24)
        await screen.until("you  what is it?")


async def test_a_resize_breaks_lines_anew() -> None:
    async with seen() as screen:
        screen.tell(ReplyText("word " * 40))
        await screen.until("word")
        wide = len(screen.app.dialogue.text.splitlines())
        await screen.pilot.resize_terminal(60, 15)
        await wait_until(lambda: len(screen.app.dialogue.text.splitlines()) > wide, "more lines")


async def test_a_resize_keeps_the_end_in_sight() -> None:
    async with seen() as screen:
        screen.tell(ReplyText("word " * 400))
        await screen.until("word")
        dialogue = screen.app.dialogue
        for size in ((60, 15), (200, 60), (61, 16)):
            await screen.pilot.resize_terminal(*size)
            await screen.pilot.pause()
            assert dialogue.size.width == size[0]
            assert dialogue.scroll_offset.y == dialogue.max_scroll_y


async def test_hostile_text_changes_nothing_but_the_text() -> None:
    async with seen() as screen:
        screen.tell(Transcript(HOSTILE, is_final=False))
        await screen.until_line("live", "gnp.exe")
        screen.tell(Transcript(HOSTILE, is_final=True), ReplyText(HOSTILE + "[bold red]x[/]"), ReplyText(" end"))
        screen.view.note(HOSTILE)
        await screen.until("[bold red]x[/] end")
        shown = screen.app.dialogue.text + screen.line("live")
        assert not set(shown) & set("\x1b\x07\r\x9b\u202e")


async def test_ten_thousand_events_at_once() -> None:
    async with seen() as screen:
        for number in range(10_000):
            screen.view.show(Event(f"t{number // 10}", ReplyText(f"word{number} ")))
        await screen.until("word9999")
        assert screen.app.dialogue.virtual_size.height <= 400
        assert "word7999" not in screen.app.dialogue.text
