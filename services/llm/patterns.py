"""Regular expressions of JSON schemas, rewritten so that what they let through can stand in JSON as it is.

A grammar writes JSON, in which some characters of a text are written in another way: the quotation mark, the backslash
and control characters. They are left out of what each class of characters lets through, which keeps to the pattern.
"""

import re
from itertools import pairwise

_PART = re.compile(
    r"\[(?P<turned>\^?)(?P<set>(?:\\.|[^\]\\])*)\]|\\(?P<escape>.)|(?P<dot>\.)|(?P<group>\(\?:)", re.DOTALL
)
_MEMBER = re.compile(r"\\(?P<escape>.)|(?P<plain>[^\\])", re.DOTALL)
_LAST = 0x10FFFF
_CLASSES = {
    "d": [(0x30, 0x39)],
    "w": [(0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A)],
    "s": [(0x20, 0x20), (0xA0, 0xA0), (0x2000, 0x200A), (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000)],
}
_CONTROL = {"n": "\n", "r": "\r", "t": "\t", "f": "\f", "v": "\v"}
# Written in another way in JSON, or, as halves of pairs, no characters at all.
_ELSEWHERE = [(0, 0x1F), (0x22, 0x22), (0x5C, 0x5C), (0x7F, 0x7F), (0xD800, 0xDFFF)]

Ranges = list[tuple[int, int]]


def writable(pattern: str) -> str:
    """The pattern, of classes and plain characters alone. ValueError, with a sentence to show, where it has more."""
    if not pattern.startswith("^") or not pattern.endswith("$"):
        raise ValueError('a pattern must start with "^" and end with "$"')
    parts, at = [], 0
    inner = pattern[1:-1]
    for found in _PART.finditer(inner):
        parts += [_plain(inner[at : found.start()]), _rewritten(found)]
        at = found.end()
    return f"^({''.join(parts)}{_plain(inner[at:])})$"  # as a group, for what stands around its alternatives


def _plain(text: str) -> str:
    for character in text:
        if character in '^$\\[]"' or not character.isprintable():
            raise ValueError(f"a pattern has {character!r} where it cannot be written")
    return text


def _rewritten(found: re.Match[str]) -> str:
    if found["group"]:
        return "("
    if found["dot"]:
        return _written(_outside([(0x0A, 0x0A), (0x0D, 0x0D)]), found[0])
    if escape := found["escape"]:
        return _written(_escaped(escape), found[0])
    ranges = _members(found["set"])
    return _written(_outside(ranges) if found["turned"] else ranges, found[0])


def _escaped(escape: str) -> Ranges:
    if escape in _CLASSES:
        return _CLASSES[escape]
    if escape.lower() in _CLASSES:
        return _outside(_CLASSES[escape.lower()])
    if escape.isalnum() and escape not in _CONTROL:
        raise ValueError(f"a pattern has \\{escape}, which is not honoured here")
    code = ord(_CONTROL.get(escape, escape))
    return [(code, code)]


def _members(text: str) -> Ranges:
    """The ranges of a class. A sign between two characters makes a range of them."""
    members = [_escaped(one["escape"]) if one["escape"] else [(ord(one[0]),) * 2] for one in _MEMBER.finditer(text)]
    signs = [at for at, one in enumerate(_MEMBER.finditer(text)) if one[0] == "-"]
    ranges: Ranges = []
    at = 0
    while at < len(members):
        if at + 1 in signs and at + 2 < len(members) and _is_one(members[at]) and _is_one(members[at + 2]):
            ranges.append((members[at][0][0], members[at + 2][0][1]))
            at += 3
        else:
            ranges += members[at]
            at += 1
    return ranges


def _is_one(ranges: Ranges) -> bool:
    return len({code for both in ranges for code in both}) == 1


def _outside(ranges: Ranges) -> Ranges:
    edges = sorted([(-1, -1), *ranges, (_LAST + 1, _LAST + 1)])
    gaps: Ranges = []
    reached = -1
    for (_, before), (after, _) in pairwise(edges):
        reached = max(reached, before)
        if reached + 1 < after:
            gaps.append((reached + 1, after - 1))
    return gaps


def _written(ranges: Ranges, shown: str) -> str:
    if any(first > last for first, last in ranges):
        raise ValueError(f"a pattern has {shown!r}, in which a range is turned")
    allowed = _outside([*_outside(ranges), *_ELSEWHERE])
    if not allowed:
        raise ValueError(f"a pattern has {shown!r}, which JSON has no plain character for")
    return "[" + "".join(f"\\U{first:08X}-\\U{last:08X}" for first, last in allowed) + "]"
