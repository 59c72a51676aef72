"""What stands on the two sides of a sign, by which one tells a formula from prose."""

import re

SPACES = " \t\u00a0\u2009\u202f"
_REACH = 24  # characters that a sign looks back

_LETTER = r"(?:(?<![^\W_])(?<!°)[^\W\d_]|(?<=[0-9])[abcnxyz])"  # alone, or after a factor: a variable
VALUE_BEFORE = re.compile(rf"(?:[0-9)\]%°²³∞]|{_LETTER})\Z")
NUMBER_AFTER = re.compile(r"[-−+±]?[$€£√(]?\.?[0-9]")
# No words of one letter: in 2024 - à Paris, a new song, I think.
VALUE_AFTER = re.compile(r"[-−+±√∛(]{0,2}(?:[0-9∞]|(?![àÀôÔI]|[aAyY] [^\W\d_]{2})[^\W\d_¹²³⁰⁴-⁹](?![^\W_²³]))")


def text_left_of(match: re.Match[str]) -> str:
    """A little of what precedes a sign."""
    return match.string[max(0, match.start() - _REACH) : match.start()]
