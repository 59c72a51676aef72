"""Text that comes from outside: bounded, and without the characters that no engine should see."""

import re
import unicodedata

from services.common.errors import InvalidInputError, OutOfRangeError

_LANGUAGE_CODE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")
_MAX_LANGUAGE_CODE = 35  # RFC 5646: what every program must be able to hold
_KEPT_CONTROLS = "\t\n\r"
# Invisible formats that only deceive: the byte order mark, bidirectional embeddings, overrides and isolates.
_DECEIVING_FORMATS = frozenset("\ufeff\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def clean(text: str) -> str:
    """The text with a space in place of each character that is not for engines, so that offsets into it stay true."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(" " if _is_control(character) else character for character in text)


def _is_control(character: str) -> bool:
    if character in _DECEIVING_FORMATS:
        return True
    return character not in _KEPT_CONTROLS and unicodedata.category(character) in {"Cc", "Cs"}


def check_length(text: str, limit: int, field: str) -> str:
    """The text, if it is not too long."""
    if len(text) > limit:
        raise OutOfRangeError(f"{field}: {len(text)} characters; the limit is {limit}", field=field)
    return text


def check_language(code: str, field: str) -> str:
    """The code, if it looks like BCP-47, or the empty string."""
    if code and (len(code) > _MAX_LANGUAGE_CODE or not _LANGUAGE_CODE.fullmatch(code)):
        raise InvalidInputError(field, f"{code[:40]!r} is not a language code such as 'fr' or 'fr-FR'")
    return code


def primary_language(code: str) -> str:
    """`fr` of `fr-FR`."""
    return code.partition("-")[0].lower()
