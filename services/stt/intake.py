"""Audio on its way in: bounded, checked once, freed of its DC offset, and brought to the engine's rate."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable

import numpy as np

from services.common.audio import Recording, Resampler, Samples, check_rate, resample
from services.common.errors import InvalidInputError, UnavailableError
from services.common.streams import AudioLimits, AudioMeter, Messages, collect
from services.stt import wire
from services.stt.audio_check import AudioCheck, checked
from services.stt.config import SttSection
from services.stt.engine import ENGINE_RATE_HZ
from services.stt.metrics import SttMetrics
from services.stt.segmenter import FlushUtterance
from superwhisper.common.v1 import audio_pb2
from superwhisper.stt.v1 import stt_pb2


class Intake:
    """For all calls."""

    def __init__(self, settings: SttSection, metrics: SttMetrics, draining: asyncio.Event) -> None:
        self._settings = settings
        self._metrics = metrics
        self._draining = draining
        self.limits = AudioLimits(duration_s=settings.max_stream_s)

    async def stream(
        self,
        messages: Messages[stt_pb2.StreamingRecognizeRequest],
        declared: audio_pb2.AudioFormat,
        in_utterance: Callable[[], bool],
    ) -> AsyncIterator[Samples | FlushUtterance]:
        """The audio of a stream at the engine's rate. While the service drains, it ends with the current utterance."""
        rate_hz = declared.sample_rate_hz
        meter, check = AudioMeter(rate_hz, self.limits), AudioCheck(rate_hz)
        resampler = Resampler(rate_hz, ENGINE_RATE_HZ)
        try:
            async for message in messages:
                if self._draining.is_set() and not in_utterance():
                    raise UnavailableError("the service is going down; open the stream again", reason="DRAINING")
                if message.WhichOneof("payload") == "audio":
                    yield resampler.push(check.push(meter.accept(message.audio)))
                elif message.control.WhichOneof("command") == "flush":
                    yield FlushUtterance()
                else:
                    raise InvalidInputError("control.command", "the control message is empty")
            yield resampler.push(np.zeros(0, np.int16), last=True)
        finally:
            self._metrics.clipped.inc(check.quality.clipped_samples)

    def check_format(self, declared: audio_pb2.AudioFormat) -> None:
        """Whether the rate of a stream is one that is taken."""
        check_rate(declared.sample_rate_hz, "config.audio_format.sample_rate_hz")

    async def upload(self, messages: Messages[stt_pb2.RecognizeFileRequest]) -> bytes:
        """A file that comes in pieces."""
        pieces = (message.audio async for message in messages)
        return await collect(pieces, self._settings.max_recording_bytes, self.limits.message_bytes)

    async def recording(
        self, content: bytes, container: audio_pb2.AudioContainer.ValueType, declared: audio_pb2.AudioFormat
    ) -> Recording:
        """The recording in a file, at the engine's rate; in a thread, because a long one takes seconds."""
        stop = threading.Event()
        try:
            return await asyncio.to_thread(self._read, content, container, declared, stop)
        finally:
            stop.set()

    def _read(
        self,
        content: bytes,
        container: audio_pb2.AudioContainer.ValueType,
        declared: audio_pb2.AudioFormat,
        stop: threading.Event,
    ) -> Recording:
        recording = wire.to_recording(content, container, declared, self._settings, stop)
        clean, quality = checked(recording)
        self._metrics.clipped.inc(quality.clipped_samples)
        return resample(clean, ENGINE_RATE_HZ)
