"""A recording that comes in as from a microphone: at the pace of time, then silence."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path

from client.errors import CommandError, reason_of
from client.events import MicrophoneAudio
from client.messages import tr
from services.common.audio import BYTES_PER_SAMPLE, Recording, encode_pcm, read_wav
from services.common.errors import InvalidInputError

_MESSAGE_MS = 20
# After a longer hold-up (a laptop that slept) the recording goes on from now: sent all at once, it would be refused.
_MAX_LATENESS_S = 1.0


class WavSource:
    """Gives a recording once, in 20 ms messages, and silence for as long as somebody listens."""

    def __init__(
        self,
        recording: Recording,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.rate_hz = recording.sample_rate_hz
        self.finished = asyncio.Event()  # the recording was given to its end
        self._audio = encode_pcm(recording.samples)
        self._clock = clock
        self._sleep = sleep

    async def messages(self) -> AsyncGenerator[MicrophoneAudio, None]:
        """Each message when a microphone would have it: after its last sample."""
        samples = self.rate_hz * _MESSAGE_MS // 1000
        size = samples * BYTES_PER_SAMPLE
        due = self._clock()
        position = 0
        while True:
            due = max(due + samples / self.rate_hz, self._clock() - _MAX_LATENESS_S)
            if (wait_s := due - self._clock()) > 0:
                await self._sleep(wait_s)
            yield MicrophoneAudio(self._audio[position : position + size].ljust(size, b"\0"))
            position += size
            if position >= len(self._audio):
                self.finished.set()


def read_recording(path: Path) -> Recording:
    """The WAV file's audio, or a sentence that says what is wrong with it."""
    try:
        recording = read_wav(path.read_bytes(), str(path))
    except OSError as error:
        raise CommandError(tr("{path} cannot be read: {reason}", path=path, reason=reason_of(error))) from error
    except InvalidInputError as error:
        raise CommandError(
            tr("{problem}; what can be spoken is a PCM WAV file of 8 to 48 kHz", problem=error.message)
        ) from error
    if not recording.samples.size:
        raise CommandError(tr("{path} holds no audio", path=path))
    return recording
