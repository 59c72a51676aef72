"""Texts to be said: read from files, and cut where a pause does not hurt."""

import codecs
import re
from collections.abc import Iterator
from pathlib import Path

from client.errors import CommandError, reason_of
from client.messages import tr

# Best first. What looks like a sentence's end after one or two letters is mostly an abbreviation: M., Dr., p.
_CUTS = (
    re.compile(r"\n[^\S\n]*\n\s*"),
    re.compile(r"(?<!\b\w)(?<!\b\w\w)(?<![.!?…])[.!?…]+(?:\s?[\"'»”’)\]])*\s+"),
    re.compile(r"\n\s*"),
    re.compile(r"\s+"),
)
# Blocks of code and comments, of which the service says nothing. It must see where one begins, or it reads the rest of
# it aloud and takes the fence that ends it for one that begins the next.
_BLOCK = re.compile(r"^[ \t>]*+(?:[-*+][ \t]++)?(```++(?=[^`\n]*+$)|~~~++|<!--(?!.*-->))", re.MULTILINE)
_COMMENT_END = re.compile(r"-->.*\n?")
_UTF_16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_text(path: Path) -> str:
    """What is written in the file, in UTF-8, or in UTF-16 that begins with its mark."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CommandError(tr("{path} cannot be read: {reason}", path=path, reason=reason_of(error))) from error
    text = _decoded(content, path)
    if (nul := text.find("\0")) >= 0:
        raise CommandError(
            tr("{path} is no plain text: character {place} is NUL; save it as UTF-8", path=path, place=nul)
        )
    if not text.strip():
        raise CommandError(tr("{path}: there is nothing to say in it", path=path))
    return text


def _decoded(content: bytes, path: Path) -> str:
    try:
        return content.decode("utf-16" if content.startswith(_UTF_16_MARKS) else "utf-8-sig")
    except UnicodeDecodeError as error:
        where = tr("byte {place} is 0x{byte:02x}", place=error.start, byte=content[error.start])
        if content.startswith(_UTF_16_MARKS):
            raise CommandError(
                tr("{path} is not UTF-16, although it begins so: {where}", path=path, where=where)
            ) from error
        line = content.count(b"\n", 0, error.start) + 1
        raise CommandError(
            tr(
                "{path} is not UTF-8: {where}, in line {line}; "
                "convert it, such as with: iconv -f WINDOWS-1252 -t UTF-8 {path}",
                path=path,
                where=where,
                line=line,
            )
        ) from error


def parts(text: str, limit: int) -> Iterator[str]:
    """The text in parts, which joined are the text: paragraphs, or else sentences.

    Each has at most `limit` characters, or is one block of which nothing is said.
    """
    blocks = _unsaid_blocks(text)
    block = next(blocks, None)
    start = 0
    while start < len(text):
        end = start + _cut(text, start, limit)
        while block and block[1] <= end:
            block = next(blocks, None)
        if block and block[0] < end:
            end = block[0] if block[0] > start else block[1]
        yield text[start:end]
        start = end


def _unsaid_blocks(text: str) -> Iterator[tuple[int, int]]:
    """Where each begins, and where it ends."""
    block = _BLOCK.search(text)
    while block:
        mark = block[1]
        fence_end = rf"\n[ \t>]*+{mark[0]}{{{len(mark)},}}+[ \t\r]*+(?:\n|\Z)"
        end = (_COMMENT_END if mark == "<!--" else re.compile(fence_end)).search(text, block.end())
        yield block.start(), end.end() if end else len(text)
        block = _BLOCK.search(text, end.end()) if end else None


def _cut(text: str, start: int, limit: int) -> int:
    """How long the part that begins there should be."""
    window = text[start : start + limit]
    if start + limit >= len(text):
        return len(window)
    least = len(window) // 4  # a better kind of cut is not worth very short parts
    for pattern in _CUTS:
        end = max((match.end() for match in pattern.finditer(window)), default=0)
        if end > least:
            return end
    return len(window)
