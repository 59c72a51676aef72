"""The full-screen view on a real terminal: bytes in as keyboards send them, bytes out as terminals read them."""

import asyncio
import os
import re
import signal
import struct
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from tests.support.waiting import BOUND_S, wait_until

pty = pytest.importorskip("pty", reason="this system has no pseudo-terminals")
fcntl = pytest.importorskip("fcntl")
termios = pytest.importorskip("termios")

ENTER_SCREEN, LEAVE_SCREEN = "\x1b[?1049h", "\x1b[?1049l"
HIDE_CURSOR, SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"
COLOUR = re.compile(r"\x1b\[[0-9;]*\b(3[0-7]|4[0-7]|38|48|9[0-7])\b[0-9;]*m")
NARROW_METER = re.compile(r"(?<!─)─{12}\x1b")
PROGRAM = [sys.executable, "-m", "tests.support.shown_terminal"]


@dataclass
class Terminal:
    """A terminal of 80 columns and 24 lines, and the program that runs on it."""

    program: "subprocess.Popen[bytes]"
    descriptor: int
    written: str = ""

    def press(self, keys: bytes) -> None:
        os.write(self.descriptor, keys)

    async def until(self, text: str) -> None:
        await wait_until(lambda: text in self.written, f"{text!r} in {self.written[-2000:]!r}")

    async def ended(self) -> int:
        await wait_until(lambda: self.program.poll() is not None, "the end of the program")
        self.read()  # the rest
        return self.program.returncode

    def read(self) -> None:
        while True:
            try:
                piece = os.read(self.descriptor, 65_536)
            except (BlockingIOError, OSError):  # nothing more now; or the program has closed its side
                return
            if not piece:
                return
            self.written += piece.decode(errors="replace")

    @property
    def afterwards(self) -> list[str]:
        """The lines that stand on the normal screen."""
        rest = self.written.rpartition(LEAVE_SCREEN)[2]
        return [line.rstrip() for line in re.sub(r"\x1b\[[?0-9;]*[a-zA-Z]", "", rest).splitlines() if line.strip()]


@pytest.fixture
async def terminals() -> AsyncIterator[list[Terminal]]:
    opened: list[Terminal] = []
    yield opened
    for terminal in opened:
        asyncio.get_running_loop().remove_reader(terminal.descriptor)
        terminal.program.kill()
        terminal.program.wait(BOUND_S)
        os.close(terminal.descriptor)


def begin(terminals: list[Terminal], *arguments: str, **environment: str) -> Terminal:
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    program = subprocess.Popen(
        [*PROGRAM, *arguments],
        stdin=its,
        stdout=its,
        stderr=its,
        start_new_session=True,
        env={**os.environ, "TERM": "xterm-256color"} | environment,
    )
    os.close(its)
    os.set_blocking(ours, False)
    terminal = Terminal(program, ours)
    asyncio.get_running_loop().add_reader(ours, terminal.read)
    terminals.append(terminal)
    return terminal


async def test_the_screen_comes_and_goes_and_the_dialogue_stays(terminals: list[Terminal]) -> None:
    terminal = begin(terminals)
    await terminal.until("what was replied")
    terminal.press(b"\x11")  # Ctrl+Q
    assert await terminal.ended() == 0
    assert terminal.written.count(ENTER_SCREEN) == terminal.written.count(LEAVE_SCREEN) == 1
    assert terminal.written.rfind(SHOW_CURSOR) > terminal.written.rfind(HIDE_CURSOR)
    assert terminal.afterwards == [
        "       you  what was said",
        " assistant  what was replied",
        "told afterwards",
        "assistant: replied afterwards",
    ]


async def test_keys_as_terminals_send_them(terminals: list[Terminal]) -> None:
    terminal = begin(terminals)
    await terminal.until("what was replied")
    for keys, done in (
        (b"hello\r", "type hello"),
        ("où ça ?\r".encode(), "type où ça ?"),
        (b"\x1b[200~two\nlines\x1b[201~\r", "type two lines"),  # pasted
        (b"\x14", "press"),  # Ctrl+T
        (b"\x1bOQ", "press"),  # F2
        (b"\x13", "mute"),  # Ctrl+S, which stops the output of a terminal that is left to itself
        (b"\x1bOR", "unmute"),  # F3
        (b"\x1b", "interrupt"),
    ):
        terminal.written = ""
        terminal.press(keys)
        await terminal.until(f"done: {done}")
    terminal.press(b"\x03")  # Ctrl+C
    assert await terminal.ended() == 0


async def test_what_a_key_fails_of_ends_the_command_with_its_sentence(terminals: list[Terminal]) -> None:
    terminal = begin(terminals, "fail")
    await terminal.until("what was replied")
    terminal.press(b"hello\r")
    assert await terminal.ended() == 1
    assert LEAVE_SCREEN in terminal.written
    assert terminal.afterwards[-1] == "error: it cannot be sent"
    assert "Traceback" not in terminal.written


async def test_a_screen_that_breaks_says_what_else_there_is(terminals: list[Terminal]) -> None:
    terminal = begin(terminals, "break")
    assert await terminal.ended() == 1
    assert terminal.written.count(ENTER_SCREEN) == terminal.written.count(LEAVE_SCREEN)
    assert "error: the screen could not be drawn: `superwhisper talk --plain` does without it" in terminal.written


async def test_a_cancelled_view_gives_the_terminal_back(terminals: list[Terminal]) -> None:
    terminal = begin(terminals, "cancel")
    await terminal.until("what was replied")
    terminal.press(b"hello\r")
    assert await terminal.ended() == 1
    assert LEAVE_SCREEN in terminal.written
    assert terminal.afterwards[-1] == "cancelled"


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, -signal.SIGINT), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
async def test_an_end_from_outside_gives_the_terminal_back(
    terminals: list[Terminal], number: signal.Signals, code: int
) -> None:
    terminal = begin(terminals)
    await terminal.until("what was replied")
    terminal.program.send_signal(number)
    assert await terminal.ended() == code
    assert LEAVE_SCREEN in terminal.written
    assert " assistant  what was replied" in terminal.afterwards


async def test_a_terminal_that_goes_ends_the_view(terminals: list[Terminal]) -> None:
    terminal = begin(terminals)
    await terminal.until("what was replied")
    asyncio.get_running_loop().remove_reader(terminal.descriptor)
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, terminal.descriptor)  # nobody holds the terminal any more; no signal tells of it
    os.close(nowhere)
    await wait_until(lambda: terminal.program.poll() is not None, "the end of the program")


async def test_the_terminal_may_become_smaller(terminals: list[Terminal]) -> None:
    terminal = begin(terminals)
    await terminal.until("PgUp PgDn")
    assert not NARROW_METER.search(terminal.written)
    fcntl.ioctl(terminal.descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", 15, 60, 0, 0))
    terminal.program.send_signal(signal.SIGWINCH)  # as the terminal itself does for the program in its foreground
    await wait_until(lambda: NARROW_METER.search(terminal.written) is not None, "meters of half the length")


async def test_colours_only_where_they_are_wanted(terminals: list[Terminal]) -> None:
    coloured, plain = begin(terminals), begin(terminals, NO_COLOR="1")
    for terminal in (coloured, plain):
        await terminal.until("what was replied")
        terminal.press(b"\x11")
        await terminal.ended()
    assert COLOUR.search(coloured.written)
    assert not COLOUR.search(plain.written)


async def test_a_terminal_that_can_do_nothing_is_left_alone(terminals: list[Terminal]) -> None:
    terminal = begin(terminals, TERM="dumb")
    assert await terminal.ended() == 1
    assert terminal.written.strip() == "no terminal"


def test_where_there_is_no_terminal_none_is_taken() -> None:
    ended = subprocess.run(PROGRAM, stdin=subprocess.DEVNULL, capture_output=True, timeout=BOUND_S, check=False)
    assert ended.stderr.strip() == b"no terminal"
