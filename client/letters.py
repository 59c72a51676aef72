"""Letters that a terminal does not know, as near as it can show them: without their accents, not as question marks."""

import codecs
import io
import re
import unicodedata
from collections.abc import Iterable
from typing import TextIO

_NEAREST = "superwhisper.nearest"
_QUOTED = re.compile(r"«\s|\s»")  # French leaves room within its marks, ASCII has none to leave
_SIGNS = str.maketrans(
    {"’": "'", "«": '"', "»": '"', "“": '"', "”": '"', "–": "-", "—": "-", "→": "->", "←": "<-", "−": "-"}
    | {"œ": "oe", "Œ": "OE", "æ": "ae", "Æ": "AE", "€": "EUR", "·": "-", "•": "-", "✓": "+", "✗": "x"}
)


def show_nearest(streams: Iterable[TextIO]) -> None:
    """From now on they take every text, whatever their encoding."""
    codecs.register_error(_NEAREST, _replaced)
    for stream in streams:
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_NEAREST)


def nearest(text: str) -> str:
    """The text in ASCII: "entierement" for "entièrement", a question mark where nothing is near."""
    decomposed = unicodedata.normalize("NFKD", _QUOTED.sub('"', text).translate(_SIGNS))
    bare = "".join(character for character in decomposed if not unicodedata.combining(character))
    return bare.encode("ascii", "replace").decode("ascii")


def _replaced(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return nearest(error.object[error.start : error.end]), error.end
