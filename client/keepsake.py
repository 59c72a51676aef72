"""`--record`: a conversation kept as a stereo recording and a list of what was said. Only where it was asked for."""

import io
import json
import queue
import threading
import time
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TextIO

import numpy as np

from client.audio.tap import RATE_HZ
from client.errors import CommandError, reason_of
from client.events import Event
from client.messages import tr
from client.unused import unused
from client.views.view import JsonView
from services.common.audio import BYTES_PER_SAMPLE, Samples

_CHANNELS = 2  # left: the microphone, as the assistant heard it; right: the loudspeaker
_WRITE_SAMPLES = RATE_HZ // 2  # a crash costs half a second
_MAX_WAITING = 1000  # pieces of audio and lines: minutes; a disk that is behind by more has failed
_MAX_FRAMES = (2**32 - 2**16) // (_CHANNELS * BYTES_PER_SAMPLE)  # 4 GiB, all that a WAV header can count: 18 hours
_PRIVATE = 0o700


class Keepsake:
    """Writes in a thread of its own: a slow disk holds up nobody. `kept` makes and completes one."""

    def __init__(
        self, folder: Path, clock: Callable[[], float] = time.monotonic, max_frames: int = _MAX_FRAMES
    ) -> None:
        """What is beyond `max_frames` goes into a further file."""
        self.folder = folder
        self._max_frames = max_frames
        self._clock = clock
        self._began_at = clock()
        self._waiting: queue.Queue[bytes | str | None] = queue.Queue(_MAX_WAITING)
        self._block: list[Samples] = []
        self._block_samples = 0
        self._failure: OSError | None = None
        self._thread = threading.Thread(target=self._write, name="keepsake")

    def start(self) -> None:
        """Makes the folder and its files, and begins."""
        try:
            self.folder.mkdir(mode=_PRIVATE, parents=True)
            self._open_audio(1)
            self._said: TextIO = (self.folder / "conversation.jsonl").open("w", encoding="utf-8")
        except OSError as error:
            raise self._unwritable(error) from error
        self._thread.start()

    def take(self, heard: Samples, played: Samples) -> None:
        """What the assistant heard, and what was played at the same time."""
        self._block.append(np.stack((heard, played), axis=1).ravel())
        self._block_samples += heard.size
        if self._block_samples >= _WRITE_SAMPLES:
            self._hand_over()

    def show(self, event: Event) -> None:
        """What was told, with the milliseconds since the beginning."""
        line = io.StringIO()
        JsonView(line).show(event)
        at_ms = round((self._clock() - self._began_at) * 1000)
        self._put(json.dumps({"at_ms": at_ms, **json.loads(line.getvalue())}, ensure_ascii=False) + "\n")

    def close(self) -> None:
        """Completes the files."""
        try:
            if self._block:
                self._hand_over()
        finally:
            self._waiting.put(None)  # it empties the queue even where nothing can be written any more
            self._thread.join()
        if self._failure is not None:
            raise self._unwritable(self._failure)

    def _hand_over(self) -> None:
        audio = np.concatenate(self._block).astype("<i2", copy=False).tobytes()
        self._block, self._block_samples = [], 0
        self._put(audio)

    def _put(self, given: bytes | str) -> None:
        if self._failure is not None:
            raise self._unwritable(self._failure)
        try:
            self._waiting.put_nowait(given)
        except queue.Full:
            raise CommandError(tr("{folder} is on a disk that is too slow to record to", folder=self.folder)) from None

    def _write(self) -> None:
        while (given := self._waiting.get()) is not None:
            if self._failure is None:
                self._attempt(partial(self._write_one, given))
        self._attempt(self._said.close)
        self._attempt(self._close_audio)

    def _attempt(self, work: Callable[[], None]) -> None:
        """Whoever gives more learns of a failure."""
        try:
            work()
        except OSError as error:
            self._failure = self._failure or error

    def _write_one(self, given: bytes | str) -> None:
        if isinstance(given, str):
            self._said.write(given)
            self._said.flush()
            return
        if self._wave.tell() + len(given) // (_CHANNELS * BYTES_PER_SAMPLE) > self._max_frames:
            self._close_audio()
            self._open_audio(self._part + 1)
        self._wave.writeframes(given)  # it puts the header right as well
        self._file.flush()  # what was written is there, whatever becomes of us

    def _open_audio(self, part: int) -> None:
        self._part = part
        name = "conversation.wav" if part == 1 else f"conversation-{part}.wav"
        self._file = (self.folder / name).open("wb")
        self._wave = wave.open(self._file, "wb")  # noqa: SIM115  # closed by _close_audio
        self._wave.setnchannels(_CHANNELS)
        self._wave.setsampwidth(BYTES_PER_SAMPLE)
        self._wave.setframerate(RATE_HZ)
        self._wave.writeframes(b"")  # the header
        self._file.flush()

    def _close_audio(self) -> None:
        with self._file:
            self._wave.close()

    def _unwritable(self, error: OSError) -> CommandError:
        told = "the conversation cannot be kept in {folder}: {reason}"
        return CommandError(tr(told, folder=self.folder, reason=reason_of(error)))


def _local_time() -> datetime:
    return datetime.now(UTC).astimezone()


@contextmanager
def kept(parent: Path | None, now: Callable[[], datetime] = _local_time) -> Iterator[Keepsake | None]:
    """A keepsake in a folder of `parent` named after the moment, complete when the body ends; None without `parent`."""
    if parent is None:
        yield None
        return
    keepsake = Keepsake(unused(parent / f"{now():%Y-%m-%d_%H-%M-%S}"))
    keepsake.start()
    try:
        yield keepsake
    finally:
        keepsake.close()
