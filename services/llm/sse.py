"""Server-sent events, as language models stream their replies."""

from collections.abc import Iterator, Sequence

from services.common.errors import EngineFailedError

# A whole tool call may come in one line, and is a few kilobytes long.
_MOST_LINE_BYTES = 256 * 1024


class SseReader:
    """Server-sent events in any portions of bytes. Each line of data counts as one: so all these servers write."""

    def __init__(self) -> None:
        self._rest = b""  # the line that is not complete yet

    def push(self, chunk: bytes) -> list[str]:
        """The data of the lines that are complete with these bytes."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if len(self._rest) > _MOST_LINE_BYTES:
            raise EngineFailedError(f"the server sends a line of more than {_MOST_LINE_BYTES} bytes")
        return list(_data_of(lines))

    def end(self) -> list[str]:
        """The data of the last line, if nothing ended it."""
        last, self._rest = self._rest, b""
        return list(_data_of([last]))


def _data_of(lines: Sequence[bytes]) -> Iterator[str]:
    for line in lines:
        if line.startswith(b"data:") and (data := line[len(b"data:") :].decode(errors="ignore").strip()):
            yield data
