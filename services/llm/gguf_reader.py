"""Reads a GGUF file from its beginning, piece by piece: nothing beyond its end, and little of it at a time.

By plain reads, not mapped memory, which would end the process where the file is cut or its disk fails meanwhile.
"""

import struct
from typing import BinaryIO

# GGUF's types of metadata, by their number there.
TEXT, ARRAY = 8, 9
_NUMBERS = {
    0: struct.Struct("<B"),
    1: struct.Struct("<b"),
    2: struct.Struct("<H"),
    3: struct.Struct("<h"),
    4: struct.Struct("<I"),
    5: struct.Struct("<i"),
    6: struct.Struct("<f"),
    7: struct.Struct("<?"),
    10: struct.Struct("<Q"),
    11: struct.Struct("<q"),
    12: struct.Struct("<d"),
}
U32, U64 = _NUMBERS[4], _NUMBERS[10]
Value = int | float | str | tuple[int | float, ...] | None

_PIECE_BYTES = 1 << 20
_MOST_TEXTS = 1 << 22  # in lists: the largest vocabularies have a quarter million, and merges half a million
_LONGEST_KEPT_TEXT_BYTES = 256  # the name of an architecture; nobody needs the rest
_LONGEST_KEPT_ARRAY = 1024  # a number for each layer


class FormatError(Exception):
    """What is wrong with a file; the sentence goes on from the file's name."""


class GgufReader:
    """At one place of a file, which it moves on from."""

    def __init__(self, file: BinaryIO, file_bytes: int) -> None:
        self._file = file
        self._file_bytes = file_bytes
        self._piece = b""
        self._piece_begins = 0
        self._at = 0  # in the piece, or beyond it
        self._texts_left = _MOST_TEXTS

    @property
    def position(self) -> int:
        """In the file."""
        return self._piece_begins + self._at

    def raw(self, count: int) -> bytes:
        """So many bytes."""
        self._have(count)
        self._at += count
        return self._piece[self._at - count : self._at]

    def number(self, kind: struct.Struct) -> int:
        """A whole number."""
        value: int = kind.unpack(self.raw(kind.size))[0]
        return value

    def text(self, most_bytes: int) -> str:
        """A text no longer than that."""
        length = self.number(U64)
        if length > most_bytes:
            raise FormatError(f"it is damaged: a name of {length} bytes at {self.position}")
        try:
            return self.raw(length).decode()
        except UnicodeDecodeError as error:
            raise FormatError(f"it is damaged: a name at {self.position} is no text") from error

    def value(self, kind: int) -> Value:
        """A value of metadata; None for a long text and an array that is not a few numbers, which are skipped."""
        if kind == ARRAY:
            return self._array()
        if kind == TEXT:
            length = self.number(U64)
            if length <= _LONGEST_KEPT_TEXT_BYTES:
                return self.raw(length).decode(errors="replace")
            self._skip(length)
            return None
        shape = self._shape(kind)
        (value,) = shape.unpack(self.raw(shape.size))
        return value  # type: ignore[no-any-return]  # a number, by its shape

    def _array(self) -> Value:
        kind, count = self.number(U32), self.number(U64)
        if kind == TEXT:
            self._skip_texts(count)
            return None
        shape = self._shape(kind)
        if count > _LONGEST_KEPT_ARRAY:
            self._skip(count * shape.size)
            return None
        return tuple(value for (value,) in shape.iter_unpack(self.raw(count * shape.size)))

    def _shape(self, kind: int) -> struct.Struct:
        if kind not in _NUMBERS:
            raise FormatError(f"it is damaged: there is no type {kind} of metadata, at {self.position}")
        return _NUMBERS[kind]

    def _skip(self, count: int) -> None:
        self._within(count)
        self._at += count

    def _skip_texts(self, count: int) -> None:
        """In a loop without calls: half a million of them take 50 ms."""
        if count > self._texts_left:
            raise FormatError(f"it is damaged: a list of {count} texts at {self.position}")
        self._texts_left -= count
        unpack, width = U64.unpack_from, U64.size
        piece, at = self._piece, self._at
        for _ in range(count):
            if at + width > len(piece):
                self._at = at
                self._have(width)
                piece, at = self._piece, self._at
            at += width + unpack(piece, at)[0]
        self._at = at  # beyond the end of the file, if a length lies: the next read tells

    def _have(self, count: int) -> None:
        """The next so many bytes are in the piece."""
        if self._at + count <= len(self._piece):
            return
        self._within(count)
        self._piece_begins, self._at = self.position, 0
        self._file.seek(self._piece_begins)
        self._piece = self._file.read(max(count, _PIECE_BYTES))
        if len(self._piece) < count:
            raise FormatError("it is being cut while it is read")

    def _within(self, count: int) -> None:
        if self.position + count > self._file_bytes:
            raise FormatError("its header goes beyond its end: it is cut short, or damaged")
