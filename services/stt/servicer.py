"""Wire ⇄ domain for the ears."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing

import grpc
import numpy as np

from services.common.audio import Recording, Resampler, Samples, check_rate, resample
from services.common.capabilities import engine_infos
from services.common.chain import EngineChain
from services.common.errors import InvalidInputError, UnavailableError
from services.common.streams import AudioLimits, AudioMeter, Messages, collect
from services.stt import wire
from services.stt.config import SttSection
from services.stt.endpointing import Endpointing
from services.stt.engine import ENGINE_RATE_HZ, MakeDetector, SttEngine
from services.stt.events import Heard
from services.stt.listener import Listener, ListenOptions
from services.stt.metrics import SttMetrics
from services.stt.recordings import Progress, RecordingTranscript, Transcriber
from services.stt.segmenter import FlushUtterance, Segmenter
from superwhisper.common.v1 import audio_pb2, capabilities_pb2
from superwhisper.stt.v1 import stt_pb2, stt_pb2_grpc

_Context = grpc.aio.ServicerContext[object, object]


class SttServicer(stt_pb2_grpc.SttServiceServicer):
    """Translates; a Listener listens."""

    def __init__(
        self,
        chain: EngineChain[SttEngine],
        make_detector: MakeDetector,
        metrics: SttMetrics,
        settings: SttSection,
        draining: asyncio.Event,
    ) -> None:
        self._chain = chain
        self._make_detector = make_detector
        self._metrics = metrics
        self._settings = settings
        self._draining = draining
        self._limits = AudioLimits(duration_s=settings.max_stream_s)
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="voice-activity")

    async def StreamingRecognize(
        self, request_iterator: AsyncIterator[stt_pb2.StreamingRecognizeRequest], context: _Context
    ) -> AsyncGenerator[stt_pb2.StreamingRecognizeResponse, None]:
        """See the proto."""
        messages = Messages(request_iterator, self._settings.idle_limit_s)
        config = (await messages.first()).config
        rate_hz = check_rate(config.audio_format.sample_rate_hz, "config.audio_format.sample_rate_hz")
        listener = self._listener(config.recognition, interim_results=config.interim_results)
        segmenter = self._segmenter(wire.to_endpointing(config.endpointing, self._settings.endpointing))
        ready = stt_pb2.StreamReady(backend=self._chain.best().backend, engine_sample_rate_hz=ENGINE_RATE_HZ)
        yield stt_pb2.StreamingRecognizeResponse(ready=ready)
        with self._metrics.sessions.track_inprogress():
            async with aclosing(listener.listen(segmenter, self._audio(messages, rate_hz, segmenter))) as events:
                async for event in events:
                    yield wire.from_event(event)

    async def Recognize(self, request: stt_pb2.RecognizeRequest, context: _Context) -> stt_pb2.RecognizeResponse:
        """See the proto."""
        recording = await self._read(request.audio, request.container, request.audio_format)
        async with aclosing(self._transcribe(recording, request.recognition)) as steps:
            async for step in steps:
                if isinstance(step, RecordingTranscript):
                    return wire.from_transcript(step)
        raise AssertionError("unreachable: a transcript is the last step")

    async def RecognizeFile(
        self, request_iterator: AsyncIterator[stt_pb2.RecognizeFileRequest], context: _Context
    ) -> AsyncGenerator[stt_pb2.RecognizeFileResponse, None]:
        """See the proto."""
        messages = Messages(request_iterator, self._settings.idle_limit_s)
        config = (await messages.first()).config
        wire.to_options(config.recognition)  # refused now, not after the whole upload
        content = await collect(
            (message.audio async for message in messages),
            self._settings.max_recording_bytes,
            self._limits.message_bytes,
        )
        recording = await self._read(content, config.container, config.audio_format)
        async with aclosing(self._transcribe(recording, config.recognition)) as steps:
            async for step in steps:
                if isinstance(step, Heard):
                    yield stt_pb2.RecognizeFileResponse(segment=wire.from_segment(step))
                elif isinstance(step, Progress):
                    yield stt_pb2.RecognizeFileResponse(progress=wire.from_progress(step))
                else:
                    yield stt_pb2.RecognizeFileResponse(result=wire.from_transcript(step))

    async def GetCapabilities(
        self, request: stt_pb2.GetCapabilitiesRequest, context: _Context
    ) -> stt_pb2.GetCapabilitiesResponse:
        """See the proto."""
        limits = capabilities_pb2.Limits(
            max_audio_message_bytes=self._limits.message_bytes,
            max_stream_ms=int(self._settings.max_stream_s * 1000),
            idle_timeout_ms=int(self._settings.idle_limit_s * 1000),
            max_audio_pace=self._limits.pace,
            max_concurrent_streams=self._settings.max_streams,
            max_recording_bytes=self._settings.max_recording_bytes,
            max_recording_ms=int(self._settings.max_recording_s * 1000),
        )
        return stt_pb2.GetCapabilitiesResponse(
            engines=engine_infos(self._chain.status(), lambda engine: engine.language_codes),
            limits=limits,
            containers=wire.CONTAINERS,
            endpointing=wire.from_endpointing(self._settings.endpointing),
        )

    async def _read(
        self, content: bytes, container: audio_pb2.AudioContainer.ValueType, declared: audio_pb2.AudioFormat
    ) -> Recording:
        """The recording at the engine's rate; in a thread, because a long one takes seconds."""

        def read() -> Recording:
            return resample(wire.to_recording(content, container, declared, self._settings), ENGINE_RATE_HZ)

        return await asyncio.to_thread(read)

    def close(self) -> None:
        """Ends the voice detector's thread."""
        self._threads.shutdown(wait=False)

    async def _audio(
        self, messages: Messages[stt_pb2.StreamingRecognizeRequest], rate_hz: int, segmenter: Segmenter
    ) -> AsyncIterator[Samples | FlushUtterance]:
        """The audio of a stream at the engine's rate."""
        meter = AudioMeter(rate_hz, self._limits)
        resampler = Resampler(rate_hz, ENGINE_RATE_HZ)
        async for message in messages:
            if self._draining.is_set() and not segmenter.in_utterance:
                raise UnavailableError("the service is going down; open the stream again elsewhere", reason="DRAINING")
            if message.WhichOneof("payload") == "audio":
                yield resampler.push(meter.accept(message.audio))
            elif message.control.WhichOneof("command") == "flush":
                yield FlushUtterance()
            else:
                raise InvalidInputError("control.command", "the control message is empty")
        yield resampler.push(np.zeros(0, np.int16), last=True)

    def _transcribe(
        self, recording: Recording, recognition: stt_pb2.RecognitionConfig
    ) -> AsyncGenerator[Heard | Progress | RecordingTranscript, None]:
        options = wire.to_options(recognition)
        transcriber = Transcriber(self._chain, self._metrics, options, self._settings.recording_limit_s)
        segmenter = self._segmenter(Endpointing(**self._settings.endpointing.model_dump()))
        return transcriber.transcribe(recording, segmenter)

    def _segmenter(self, endpointing: Endpointing) -> Segmenter:
        return Segmenter(endpointing, self._make_detector(), self._threads)

    def _listener(self, recognition: stt_pb2.RecognitionConfig, *, interim_results: bool) -> Listener:
        options = ListenOptions(
            recognition=wire.to_options(recognition),
            interim_results=interim_results,
            limit_s=self._settings.decode_limit_s,
        )
        return Listener(self._chain, self._metrics, options)
