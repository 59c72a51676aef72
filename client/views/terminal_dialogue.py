"""The scrolling part of the full-screen view. Only what is new is wrapped, and only what is seen is drawn."""

from collections.abc import Iterable

from rich.text import Text
from textual import events
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from client.views.dialogue import Entry, Who
from client.views.screen_text import entry_lines


class DialoguePane(ScrollView, can_focus=False):
    """Shows entries; stays at the end unless the person scrolled up."""

    def __init__(self) -> None:
        super().__init__()
        self._entries: tuple[Entry, ...] = ()
        self._wrapped: dict[Entry, list[Strip]] = {}
        self._lines: list[Strip] = []
        self._is_following = True

    @property
    def text(self) -> str:
        """All its lines, seen or not."""
        return "\n".join(line.text.rstrip() for line in self._lines)

    def tell(self, entries: Iterable[Entry]) -> None:
        """These are the entries now."""
        now = tuple(entries)
        if now != self._entries:
            self._entries = now
            self._lay_out()

    def scroll_lines(self, count: int) -> None:
        """Scrolls down by so many lines, or up. What is new is followed from its end on."""
        target = min(max(self.scroll_offset.y + count, 0), self.max_scroll_y)
        self._is_following = target == self.max_scroll_y
        self._scroll_at_once(target)

    def on_resize(self, event: events.Resize) -> None:
        """Lines break elsewhere now."""
        self._wrapped.clear()
        self._lay_out()

    def render_line(self, y: int) -> Strip:
        """One line of what is seen."""
        number = y + self.scroll_offset.y
        width = self.scrollable_content_region.width
        line = self._lines[number] if number < len(self._lines) else Strip([])
        return line.adjust_cell_length(width, self.rich_style).apply_style(self.rich_style)

    def _lay_out(self) -> None:
        self._wrapped = {entry: self._wrapped.get(entry) or self._wrap(entry) for entry in self._entries}
        self._lines = []
        for entry in self._entries:
            if entry.who is Who.PERSON and self._lines:
                self._lines.append(Strip([]))  # some air before each turn
            self._lines += self._wrapped[entry]
        self.virtual_size = Size(self.scrollable_content_region.width, len(self._lines))
        if self._is_following:
            self._scroll_at_once(self.max_scroll_y)
        self.refresh()

    def _scroll_at_once(self, line: int) -> None:
        self.scroll_to(y=line, animate=False, immediate=True, force=True)

    def _wrap(self, entry: Entry) -> list[Strip]:
        lines = entry_lines(entry, self.scrollable_content_region.width, self.app.console)
        return [self._strip(line) for line in lines]

    def _strip(self, line: Text) -> Strip:
        return Strip(line.render(self.app.console, end=""))
