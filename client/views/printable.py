"""Text from the wire, made safe for a terminal."""

from services.common.text import clean


def printable(text: str) -> str:
    """The text without anything that would move the cursor or change the terminal."""
    return clean(text).replace("\r", " ")
