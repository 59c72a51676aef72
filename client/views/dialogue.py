"""What was said, as far as it is still shown."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

_MOST_ENTRIES = 200
_MOST_CHARACTERS = 4000  # of one entry; what is longer goes on in the next, so that drawing one never takes long


class Who(StrEnum):
    """Whose words they are."""

    PERSON = "person"
    ASSISTANT = "assistant"
    PROGRAM = "program"  # it tells something about itself
    TROUBLE = "trouble"


@dataclass(frozen=True)
class Entry:
    """Words of one party; `unheard` is the end of a reply that was cut off before it was heard."""

    who: Who
    text: str
    turn_id: str = ""
    unheard: str = ""
    is_cut: bool = False


class Dialogue:
    """The last entries, oldest first."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=_MOST_ENTRIES)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)

    def add(self, who: Who, text: str, turn_id: str = "") -> None:
        """Something was said; long words fill several entries."""
        for start in range(0, len(text), _MOST_CHARACTERS):
            self._entries.append(Entry(who, text[start : start + _MOST_CHARACTERS], turn_id))

    def go_on(self, turn_id: str, delta: str) -> None:
        """More of a turn's reply."""
        index = self._last_of_reply(turn_id)
        if index is None:
            self.add(Who.ASSISTANT, delta.lstrip(), turn_id)
            return
        entry = self._entries[index]
        room = _MOST_CHARACTERS - len(entry.text)
        if delta[:room]:
            self._entries[index] = replace(entry, text=entry.text + delta[:room])
        self.add(Who.ASSISTANT, delta[max(room, 0) :], turn_id)

    def cut(self, turn_id: str, heard: str) -> None:
        """The turn's reply was interrupted when this much of it had been heard."""
        heard = "".join(heard.split())
        for index, entry in enumerate(self._entries):
            if entry.who is Who.ASSISTANT and entry.turn_id == turn_id:
                text = entry.text + entry.unheard
                end = heard_end(text, heard)
                heard = heard[len("".join(text[:end].split())) :]
                self._entries[index] = replace(entry, text=text[:end], unheard=text[end:], is_cut=False)
        last = self._last_of_reply(turn_id)
        if last is not None:
            self._entries[last] = replace(self._entries[last], is_cut=True)

    def _last_of_reply(self, turn_id: str) -> int | None:
        for index in range(len(self._entries) - 1, -1, -1):
            entry = self._entries[index]
            if entry.who is Who.ASSISTANT and entry.turn_id == turn_id:
                return index
        return None


def heard_end(text: str, heard: str) -> int:
    """Where in the text that ends which was heard, told without its spaces: they need not be those of the text."""
    known = 0
    for index, character in enumerate(text):
        if known == len(heard):
            return index
        if not character.isspace():
            if character != heard[known]:
                return index
            known += 1
    return len(text)
