"""The loudspeaker: plays replies on a sound card and knows how much of them was heard."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from client.audio import sound
from client.audio.playback import PlaybackBuffer
from client.events import Played, ReplyAudio
from services.common.audio import BYTES_PER_SAMPLE

_MAX_WAITING_S = 120  # of audio that came faster than it is played; what is beyond waits in the connection
_LOOK_EVERY_S = 0.02


class Speaker:
    """One loudspeaker. `opened_speaker` closes it."""

    def __init__(self, device: sound.Device) -> None:
        self.name = device.name
        self.rate_hz = device.rate_hz
        self._device = device
        self._buffer = PlaybackBuffer(device.rate_hz)
        self._stream: Any = None

    def open(self, rate_hz: int) -> None:
        """Starts to play: silence, until there is something else."""
        library: Any = sound.library()

        def play(audio: Any, frames: int, time: Any, status: Any) -> None:
            audio[:] = self._buffer.pull(len(audio) // BYTES_PER_SAMPLE)

        self.rate_hz = rate_hz
        self._buffer = PlaybackBuffer(rate_hz)
        try:
            self._stream = library.RawOutputStream(
                samplerate=rate_hz, device=self._device.index, channels=1, dtype="int16", callback=play
            )
            self._stream.start()
        except library.PortAudioError as error:
            raise sound.unusable("output", self._device, error) from error

    async def play(self, turn_id: str, reply: ReplyAudio) -> None:
        """Takes more audio; waits while far too much is there already."""
        while self._buffer.waiting_samples > _MAX_WAITING_S * self.rate_hz:  # noqa: ASYNC110  # a thread empties it
            await asyncio.sleep(_LOOK_EVERY_S)
        self._buffer.put(turn_id, reply.first_sample, reply.audio)

    def pause(self) -> None:
        """Plays nothing for now, and keeps what was not played yet."""
        self._buffer.pause()

    def duck(self) -> None:
        """Plays softly for now."""
        self._buffer.duck()

    def go_on(self) -> None:
        """Plays as before, from where it stopped."""
        self._buffer.go_on()

    def flush(self) -> None:
        """Throws away what was not played yet."""
        self._buffer.flush()

    def played(self) -> Played | None:
        """How far the last turn that was played has come."""
        return self._buffer.played(self._delay_frames())

    def is_playing(self) -> bool:
        """Whether somebody hears something right now, or is about to."""
        return self._works() and not self._buffer.is_silent(self._delay_frames())

    async def drained(self) -> None:
        """Waits until all was played; so it waits out a pause as well."""
        while self._works() and not self._buffer.is_empty(self._delay_frames()):  # noqa: ASYNC110  # as above
            await asyncio.sleep(_LOOK_EVERY_S)

    def close(self) -> None:
        """Gives the sound card back."""
        if self._stream is not None:
            self._stream.close()

    def _works(self) -> bool:
        """A loudspeaker that was unplugged plays nothing."""
        return self._stream is not None and self._stream.active

    def _delay_frames(self) -> int:
        """What the sound card took and nobody heard yet."""
        return int(self._stream.latency * self.rate_hz) if self._stream is not None else 0


@contextmanager
def opened_speaker(wanted: str) -> Iterator[Speaker | None]:
    """The loudspeaker of that name or the default one, closed at the end; None where there is none."""
    device = sound.find("output", wanted)
    if device is None:
        yield None
        return
    speaker = Speaker(device)
    try:
        yield speaker
    finally:
        speaker.close()
