"""The microphone: a sound card's input as a stream of messages."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import numpy as np

from client.audio import sound
from client.errors import CommandError
from services.common.audio import Resampler, encode_pcm

_RATE_HZ = 16_000  # what the ears work at; more would only be thrown away there
_MESSAGE_MS = 20
_WAITING_MESSAGES = 250  # five seconds; if the assistant is further behind, the oldest audio is lost


class Microphone:
    """One microphone, open as long as `messages` is read."""

    rate_hz = _RATE_HZ

    def __init__(self, device: sound.Device) -> None:
        self.name = device.name
        self._device = device
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue(_WAITING_MESSAGES)

    async def messages(self) -> AsyncGenerator[bytes, None]:
        """What it hears, from now on."""
        resampler = Resampler(self._device.rate_hz, _RATE_HZ)
        with self._open(asyncio.get_running_loop()):
            while (audio := await self._queue.get()) is not None:
                yield encode_pcm(resampler.push(np.frombuffer(audio, np.int16)))
        raise CommandError(f"the microphone {self.name!r} is gone: plug it in again and start anew")

    def _open(self, loop: asyncio.AbstractEventLoop) -> Any:
        library: Any = sound.library()

        def hear(audio: Any, frames: int, time: Any, status: Any) -> None:
            loop.call_soon_threadsafe(self._keep, bytes(audio))

        def finished() -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._keep, None)

        try:
            return library.RawInputStream(
                samplerate=self._device.rate_hz,
                blocksize=self._device.rate_hz * _MESSAGE_MS // 1000,
                device=self._device.index,
                channels=1,
                dtype="int16",
                callback=hear,
                finished_callback=finished,
            )
        except library.PortAudioError as error:
            raise sound.unusable("input", self._device, error) from error

    def _keep(self, audio: bytes | None) -> None:
        if self._queue.full():
            self._queue.get_nowait()
        self._queue.put_nowait(audio)
