"""Names that no file has yet."""

from pathlib import Path


def unused(path: Path) -> Path:
    """The path itself, or with a number behind its name where that is taken: reply-2.wav."""
    number, found = 1, path
    while found.exists():
        number += 1
        found = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return found
