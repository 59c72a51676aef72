"""Reply audio as a WAV file, which appears under its name once it is complete."""

import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from client.errors import CommandError
from services.common.audio import BYTES_PER_SAMPLE


class AudioFile:
    """Takes audio as it comes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.duration_s = 0.0
        self._unfinished = path.with_name(f"{path.name}.part")
        self._rate_hz = 0
        self._file: BinaryIO | None = None
        self._wave: wave.Wave_write | None = None

    def open(self, rate_hz: int) -> None:
        """Gets ready for audio of this rate."""
        try:
            self._file = self._unfinished.open("wb")
        except OSError as error:
            raise CommandError(f"{self.path} cannot be written: {error.strerror}") from error
        self._rate_hz = rate_hz
        self._wave = wave.open(self._file, "wb")  # noqa: SIM115  # closed by close()
        self._wave.setnchannels(1)
        self._wave.setsampwidth(BYTES_PER_SAMPLE)
        self._wave.setframerate(rate_hz)

    def write(self, audio: bytes) -> None:
        """Appends."""
        if self._wave is None:
            raise AssertionError("audio before the format")
        self._wave.writeframesraw(audio)
        self.duration_s += len(audio) / BYTES_PER_SAMPLE / self._rate_hz

    def close(self, *, keep: bool = True) -> None:
        """Completes the file, if it is to be kept; where nothing was written, none appears and an older one stays."""
        if self._wave is None or self._file is None:
            return
        self._wave.close()
        self._file.close()
        if keep and self.duration_s:
            self._unfinished.replace(self.path)
        else:
            self._unfinished.unlink()


@contextmanager
def audio_file(path: Path | None, *, keep_unfinished: bool = False) -> Iterator[AudioFile | None]:
    """A file of that name, complete when the body ends; None where no name was given.

    With `keep_unfinished` also what there is when the body fails.
    """
    if path is None:
        yield None
        return
    file = AudioFile(path)
    try:
        yield file
    except BaseException:
        file.close(keep=keep_unfinished)
        raise
    file.close()
