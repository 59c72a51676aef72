"""The mark that ends a text."""

_CLOSERS = "\"'»“”’)]*_ \t\r\n\u00a0\u202f"  # may stand between a mark and the end of what it ends
_MARKS = ".!?…:;,–—"


def last_mark(text: str) -> str:
    """The full stop, comma or other mark by which a listener hears that the text ends, or nothing."""
    last = text.rstrip(_CLOSERS)[-1:]
    return last if last in _MARKS else ""
