"""Audio as a file, which appears under its name once it is complete."""

import errno
import os
import secrets
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import Any

from client.errors import CommandError, reason_of
from client.messages import tr
from services.common.audio import BYTES_PER_SAMPLE

_MAX_WAV_BYTES = 2**32 - 2**16  # its header counts in 32 bits


class _Unbuffered(FileIO):
    """Holds nothing back that a disk which is full would not take at the end: so what was written before is safe."""

    def write(self, content: Any) -> int:
        """Writes all of it, where one call of the system may write a part."""
        left = memoryview(content).cast("B")
        while left:
            left = left[super().write(left) :]
        return len(content)


class AudioFile:
    """Takes audio as it comes: samples for a WAV file, or with `as_it_is` the bytes of any other kind of file."""

    def __init__(self, path: Path, *, as_it_is: bool = False) -> None:
        self.path = path
        self.size_bytes = 0
        self.is_kept = False
        self._as_it_is = as_it_is
        # Two programs may write a file of the same name; whoever completes it last has it.
        self._unfinished = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
        self._rate_hz = 0
        self._end = 0  # of what was written whole
        self._file: _Unbuffered | None = None
        self._wave: wave.Wave_write | None = None

    @property
    def duration_s(self) -> float:
        """How long all samples last."""
        return self.size_bytes / BYTES_PER_SAMPLE / self._rate_hz if self._rate_hz else 0.0

    def open(self, rate_hz: int) -> None:
        """Gets ready for audio of this rate."""
        self._rate_hz = rate_hz
        if self.path.exists() and not (self.path.is_file() or self.path.is_dir()):
            # The file would take its place: /dev/null would be null no more.
            raise CommandError(tr("{path} is a device or a pipe; name a file", path=self.path))
        try:
            if self.path.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
            self._file = _Unbuffered(self._unfinished, "xb")
        except OSError as error:
            raise self._unwritable(error) from error
        if not self._as_it_is:
            self._wave = wave.open(self._file, "wb")  # noqa: SIM115  # closed by close()
            self._wave.setnchannels(1)
            self._wave.setsampwidth(BYTES_PER_SAMPLE)
            self._wave.setframerate(rate_hz)

    def write(self, audio: bytes) -> None:
        """Appends."""
        if self._file is None:
            raise AssertionError("audio before the format")
        if self._wave is not None and self.size_bytes + len(audio) > _MAX_WAV_BYTES:
            raise CommandError(
                tr("{path} is full: a WAV file holds 4 GiB; write the rest into another one", path=self.path)
            )
        try:
            if self._wave is not None:
                self._wave.writeframesraw(audio)
            else:
                self._file.write(audio)
            self._end = self._file.tell()
        except OSError as error:
            raise self._unwritable(error) from error
        self.size_bytes += len(audio)

    def discard(self) -> None:
        """Has nothing kept of what was written so far."""
        self.size_bytes = 0

    def close(self, *, keep: bool = True) -> None:
        """Completes the file, if it is to be kept; where nothing was written, none appears and an older one stays."""
        if self._file is None:
            return
        try:
            with self._file:
                if self._wave is not None:
                    self._wave.close()
                if keep and self.size_bytes:
                    self._file.truncate(self._end)
            if keep and self.size_bytes:
                self._unfinished.replace(self.path)
                self.is_kept = True
        except OSError as error:
            raise self._unwritable(error) from error
        finally:
            self._unfinished.unlink(missing_ok=True)

    def _unwritable(self, error: OSError) -> CommandError:
        return CommandError(tr("{path} cannot be written: {reason}", path=self.path, reason=reason_of(error)))


@contextmanager
def audio_file(
    path: Path | None, *, keep_unfinished: bool = False, as_it_is: bool = False
) -> Iterator[AudioFile | None]:
    """A file of that name, complete when the body ends; None where no name was given.

    With `keep_unfinished` also what there is when the body fails.
    """
    if path is None:
        yield None
        return
    file = AudioFile(path, as_it_is=as_it_is)
    try:
        yield file
    except BaseException:
        file.close(keep=keep_unfinished)
        raise
    file.close()
