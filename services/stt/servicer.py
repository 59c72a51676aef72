"""Wire ⇄ domain for the ears."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

import grpc

from services.common.capabilities import engine_infos
from services.common.chain import EngineChain
from services.common.streams import Messages
from services.stt import wire
from services.stt.config import SttSection
from services.stt.engine import ENGINE_RATE_HZ, SttEngine
from services.stt.events import Heard
from services.stt.intake import Intake
from services.stt.listener import Listener, ListenOptions
from services.stt.metrics import SttMetrics
from services.stt.recordings import Progress, RecordingTranscript
from services.stt.segmenters import Segmenters
from services.stt.transcripts import Transcripts
from superwhisper.common.v1 import audio_pb2, capabilities_pb2
from superwhisper.stt.v1 import stt_pb2, stt_pb2_grpc

_Context = grpc.aio.ServicerContext[object, object]


class SttServicer(stt_pb2_grpc.SttServiceServicer):
    """Translates; a Listener listens, Transcripts transcribe."""

    def __init__(
        self,
        chain: EngineChain[SttEngine],
        intake: Intake,
        segmenters: Segmenters,
        transcripts: Transcripts,
        metrics: SttMetrics,
        settings: SttSection,
    ) -> None:
        self._chain = chain
        self._intake = intake
        self._segmenters = segmenters
        self._transcripts = transcripts
        self._metrics = metrics
        self._settings = settings

    async def StreamingRecognize(
        self, request_iterator: AsyncIterator[stt_pb2.StreamingRecognizeRequest], context: _Context
    ) -> AsyncGenerator[stt_pb2.StreamingRecognizeResponse, None]:
        """See the proto."""
        messages = Messages(request_iterator, self._settings.idle_limit_s)
        config = (await messages.first()).config
        self._intake.check_format(config.audio_format)
        options = ListenOptions(
            wire.to_options(config.recognition), config.interim_results, self._settings.decode_limit_s
        )
        segmenter = self._segmenters.of_stream(wire.to_endpointing(config.endpointing, self._settings.endpointing))
        ready = stt_pb2.StreamReady(backend=self._chain.best().backend, engine_sample_rate_hz=ENGINE_RATE_HZ)
        yield stt_pb2.StreamingRecognizeResponse(ready=ready)
        audio = self._intake.stream(messages, config.audio_format, lambda: segmenter.in_utterance)
        listener = Listener(self._chain, self._metrics, options)
        with self._metrics.sessions.track_inprogress():
            async with aclosing(listener.listen(segmenter, audio)) as events:
                async for event in events:
                    yield wire.from_event(event)

    async def Recognize(self, request: stt_pb2.RecognizeRequest, context: _Context) -> stt_pb2.RecognizeResponse:
        """See the proto."""
        steps = self._transcribe(request.audio, request.container, request.audio_format, request.recognition)
        async with aclosing(steps):
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
        content = await self._intake.upload(messages)
        steps = self._transcribe(content, config.container, config.audio_format, config.recognition)
        async with aclosing(steps):
            async for step in steps:
                yield wire.from_step(step)

    async def GetCapabilities(
        self, request: stt_pb2.GetCapabilitiesRequest, context: _Context
    ) -> stt_pb2.GetCapabilitiesResponse:
        """See the proto."""
        limits = capabilities_pb2.Limits(
            max_audio_message_bytes=self._intake.limits.message_bytes,
            max_stream_ms=int(self._settings.max_stream_s * 1000),
            idle_timeout_ms=int(self._settings.idle_limit_s * 1000),
            max_audio_pace=self._intake.limits.pace,
            max_concurrent_streams=self._settings.max_streams,
            max_recording_bytes=self._settings.max_recording_bytes,
            max_recording_ms=int(self._settings.max_recording_s * 1000),
        )
        return stt_pb2.GetCapabilitiesResponse(
            engines=engine_infos(self._chain.status(), lambda engine: engine.language_codes),
            limits=limits,
            containers=wire.CONTAINERS,
            endpointing=wire.from_endpointing(self._settings.endpointing, judged=self._segmenters.judge_turns),
        )

    async def _transcribe(
        self,
        content: bytes,
        container: audio_pb2.AudioContainer.ValueType,
        declared: audio_pb2.AudioFormat,
        recognition: stt_pb2.RecognitionConfig,
    ) -> AsyncGenerator[Heard | Progress | RecordingTranscript, None]:
        options = wire.to_options(recognition)
        recording = await self._intake.recording(content, container, declared)
        endpointing = wire.default_endpointing(self._settings.endpointing)
        steps = self._transcripts.of(recording, options, endpointing, self._segmenters.of_recording)
        async with aclosing(steps):
            async for step in steps:
                yield step
