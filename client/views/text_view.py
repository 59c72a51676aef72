"""A conversation as text: in place and in colour on a terminal, plain lines everywhere else."""

from rich.console import Console
from rich.control import Control
from rich.segment import ControlType
from rich.table import Table
from rich.text import Text

from client.events import (
    ConnectionLost,
    Degraded,
    DeviceChanged,
    Event,
    HearingChanged,
    Interrupted,
    Outcome,
    ReplyText,
    SessionOpened,
    SoundCardServed,
    State,
    StateChanged,
    Transcript,
    TurnFinished,
)
from client.messages import tr
from client.views import sentences
from client.views.console import PeopleConsole
from client.views.printable import end_of, printable

__all__ = ["TextView", "printable"]

_ERASE_LINE = Control(ControlType.CARRIAGE_RETURN, (ControlType.ERASE_IN_LINE, 2))


class TextView:
    """For people."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or PeopleConsole()
        self._partial = ""
        self._in_reply = False
        self._is_yielding = False
        self._is_heard = True

    def show(self, event: Event) -> None:
        """The assistant told something."""
        match event.what:
            case StateChanged(state):
                self._show_state(state)
            case SessionOpened() | ConnectionLost() | DeviceChanged() | HearingChanged() | SoundCardServed():
                self._show_line(event.what)
            case Transcript():
                self._show_transcript(event.what)
            case ReplyText(delta):
                self._show_reply(printable(delta))
            case Interrupted():
                self._is_yielding = False
                self._aside(tr("interrupted"), "yellow")
            case Degraded(stage, _, message):
                self._line(Text(sentences.of_trouble(stage, message), "yellow"))
            case TurnFinished():
                self._show_times(event.what)

    def note(self, text: str) -> None:
        """The client has something to say about itself."""
        self._line(Text(printable(text), "dim"))

    def ask_for_text(self) -> None:
        """A line may be typed now."""
        if self._console.is_terminal:
            self._console.print("> ", end="")

    def reply_file(self, path: str, duration_s: float) -> None:
        """The reply audio was written."""
        self._line(Text(sentences.of_file(path, duration_s), "dim"))

    def _show_state(self, state: State) -> None:
        if state is State.YIELDING and not self._is_yielding:
            self._aside(tr("listens"))
        elif self._is_yielding and state in (State.THINKING, State.SPEAKING):
            self._aside(tr("goes on"))
        self._is_yielding = state is State.YIELDING

    def _show_line(
        self, what: SessionOpened | ConnectionLost | DeviceChanged | HearingChanged | SoundCardServed
    ) -> None:
        """How the assistant can be reached, and hears."""
        match what:
            case ConnectionLost(trying_s):
                self._aside(sentences.of_loss(trying_s), "yellow")
            case SessionOpened(resumed=True):
                self._aside(sentences.of_opening(what), "yellow")
            case DeviceChanged():
                self._aside(sentences.of_device(what), "yellow")
            case HearingChanged(is_heard):
                if not (is_heard and self._is_heard):  # that it hears from the start goes without saying
                    self._aside(sentences.of_hearing(what))
                self._is_heard = is_heard
            case SoundCardServed(callbacks, late) if late:  # that all went well goes without saying
                self._aside(sentences.of_lateness(callbacks, late))

    def _show_transcript(self, heard: Transcript) -> None:
        if not heard.is_final:
            self._show_partial(printable(heard.text))
        elif not (heard.typed and self._console.is_terminal):  # else it stands there as it was typed
            self._line(Text.assemble((tr("you: "), "bold cyan"), printable(heard.text)))

    def _show_partial(self, text: str) -> None:
        if not text or text == self._partial or self._in_reply:
            return
        self._partial = text
        if not self._console.is_terminal:
            self._console.print(Text(f"  … {text}"), soft_wrap=True)
            return
        # Its end, where it is longer than the line: that is the part that changes.
        self._console.control(_ERASE_LINE)
        self._console.print(Text(f"  … {end_of(text, max(self._console.width - 6, 1))}", "dim"), end="")

    def _show_reply(self, delta: str) -> None:
        if not self._in_reply:
            self._line(Text(tr("assistant: "), "bold green"), end="")
            self._in_reply = True
            delta = delta.lstrip()
        self._console.print(Text(delta), end="", soft_wrap=True)
        self._console.file.flush()

    def _show_times(self, finished: TurnFinished) -> None:
        if finished.outcome is Outcome.FAILED:
            self._line(Text(tr("the turn failed"), "bold red"))
        times = [(sentences.of_time(name), f"{ms:.0f} ms") for name, ms in finished.timings_ms.items()]
        engines = ", ".join(f"{stage} {backend}" for stage, backend in finished.backends.items())
        if self._console.is_terminal:
            self._show_table(times)
        else:
            told = ", ".join(f"{name} {ms}" for name, ms in times)
            self._line(Text(tr("times: {times}", times=told)))
        self._line(Text(tr("engines: {engines}", engines=engines or tr("none")), "dim"))

    def _show_table(self, rows: list[tuple[str, str]]) -> None:
        self._line(Text())
        table = Table(box=None, pad_edge=False, show_header=False, style="dim")
        table.add_column()
        table.add_column(justify="right")
        for row in rows:
            table.add_row(*row)
        self._console.print(table)

    def _aside(self, sentence: str, style: str = "dim") -> None:
        self._line(Text(f"({sentence})", style))

    def _line(self, text: Text, end: str = "\n") -> None:
        """Begins a line of its own, whatever stands there."""
        if self._in_reply:
            self._console.print()
        elif self._partial and self._console.is_terminal:
            self._console.control(_ERASE_LINE)
        self._in_reply = False
        self._partial = ""
        self._console.print(text, end=end, soft_wrap=True)
