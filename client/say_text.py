"""Texts to be said: read from files, and cut where a pause does not hurt."""

import re
from collections.abc import Iterator
from pathlib import Path

from client.errors import CommandError

# Best first. What looks like a sentence's end after one or two letters is mostly an abbreviation: M., Dr., p.
_CUTS = (
    re.compile(r"\n[^\S\n]*\n\s*"),
    re.compile(r"(?<!\b\w)(?<!\b\w\w)(?<![.!?…])[.!?…]+(?:\s?[\"'»”’)\]])*\s+"),
    re.compile(r"\n\s*"),
    re.compile(r"\s+"),
)


def read_text(path: Path) -> str:
    """What is written in the file, in UTF-8."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}") from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise CommandError(
            f"{path} is not UTF-8: byte {error.start} is 0x{error.object[error.start]:02x}, in line {line}; "
            f"convert it, such as with: iconv -f WINDOWS-1252 -t UTF-8 {path}"
        ) from error
    if not text.strip():
        raise CommandError(f"{path}: there is nothing to say in it")
    return text


def parts(text: str, limit: int) -> Iterator[str]:
    """The text in parts of at most `limit` characters, which joined are the text: paragraphs, or else sentences."""
    start = 0
    while len(text) - start > limit:
        end = start + _cut(text[start : start + limit])
        yield text[start:end]
        start = end
    yield text[start:]


def _cut(window: str) -> int:
    """Where the first part of a text that goes on after the window ends."""
    least = len(window) // 4  # a better kind of cut is not worth very short parts
    for pattern in _CUTS:
        end = max((match.end() for match in pattern.finditer(window)), default=0)
        if end > least:
            return end
    return len(window)
