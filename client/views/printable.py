"""Text from the wire, made safe for a terminal."""

from rich.cells import cell_len

from services.common.text import clean


def printable(text: str) -> str:
    """The text without anything that would move the cursor or change the terminal."""
    return clean(text).replace("\r", " ")


def end_of(text: str, room: int) -> str:
    """The end of a line that is too long: that is the part that changes."""
    while text and cell_len(text) > room:
        text = text[max(cell_len(text) - room, 2) // 2 :]
    return text
