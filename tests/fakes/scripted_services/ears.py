"""The scripted ears: SttService of known speed."""

# ruff: noqa: N802  # gRPC's method names

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass

from services.common.audio import check_rate, decode_pcm
from services.common.errors import CallError, UnsupportedError
from services.common.streams import AudioLimits, AudioMeter, Messages
from services.common.tasks import cancel_and_wait
from superwhisper.common.v1 import capabilities_pb2
from superwhisper.stt.v1 import stt_pb2, stt_pb2_grpc
from tests.fakes.scripted_services.hearing import Hearing, Kind, Step
from tests.fakes.scripted_services.records import Recorder
from tests.fakes.scripted_services.script import EarsSpeed
from tests.support.scripted import Context

BACKEND = "scripted-ears"
IDLE_LIMIT_S = 10.0
_Response = stt_pb2.StreamingRecognizeResponse
_REASONS = {Kind.ENDED: stt_pb2.END_REASON_SILENCE, Kind.FLUSHED: stt_pb2.END_REASON_FLUSH}


@dataclass
class _Outgoing:
    """A response, when it is due, and how its moment is recorded."""

    response: stt_pb2.StreamingRecognizeResponse
    due_at: float
    recorder: Recorder
    name: str = ""
    is_last: bool = False
    is_sent: bool = False
    is_withdrawn: bool = False


class ScriptedEars(stt_pb2_grpc.SttServiceServicer):
    """Hears the sentences of the script."""

    def __init__(self, speed: EarsSpeed) -> None:
        self._speed = speed

    async def StreamingRecognize(
        self, request_iterator: AsyncIterator[stt_pb2.StreamingRecognizeRequest], context: Context
    ) -> AsyncGenerator[stt_pb2.StreamingRecognizeResponse, None]:
        """See the proto."""
        messages = Messages(request_iterator, IDLE_LIMIT_S)
        config = (await messages.first()).config
        rate_hz = check_rate(config.audio_format.sample_rate_hz, "config.audio_format.sample_rate_hz")
        yield _Response(ready=stt_pb2.StreamReady(backend=BACKEND, engine_sample_rate_hz=rate_hz))
        outbox = _Outbox(self._speed.decode_ms / 1000, config.interim_results)
        reading = asyncio.create_task(self._read(messages, rate_hz, outbox))
        try:
            async with aclosing(outbox.responses()) as responses:
                async for response in responses:
                    yield response
        finally:
            await cancel_and_wait(reading)

    async def Recognize(self, request: stt_pb2.RecognizeRequest, context: Context) -> stt_pb2.RecognizeResponse:
        """See the proto; raw PCM alone."""
        rate_hz = check_rate(request.audio_format.sample_rate_hz, "audio_format.sample_rate_hz")
        samples = decode_pcm(request.audio, "audio")
        hearing = Hearing(self._speed, rate_hz)
        steps = [*hearing.push(samples), *hearing.flush()]
        words = [word for step in steps if step.kind in _REASONS for word in step.words]
        await asyncio.sleep(self._speed.decode_ms / 1000)
        return stt_pb2.RecognizeResponse(
            text=" ".join(words), language_code="fr", duration_ms=samples.size * 1000 // rate_hz, backend=BACKEND
        )

    def RecognizeFile(
        self, request_iterator: AsyncIterator[stt_pb2.RecognizeFileRequest], context: Context
    ) -> AsyncGenerator[stt_pb2.RecognizeFileResponse, None]:
        """See the proto."""
        raise UnsupportedError("the scripted ears hear no files")

    async def GetCapabilities(
        self, request: stt_pb2.GetCapabilitiesRequest, context: Context
    ) -> stt_pb2.GetCapabilitiesResponse:
        """See the proto."""
        engine = capabilities_pb2.EngineInfo(name=BACKEND, state=capabilities_pb2.ENGINE_STATE_READY)
        return stt_pb2.GetCapabilitiesResponse(engines=[engine])

    async def _read(
        self, messages: Messages[stt_pb2.StreamingRecognizeRequest], rate_hz: int, outbox: "_Outbox"
    ) -> None:
        hearing, meter = Hearing(self._speed, rate_hz), AudioMeter(rate_hz, AudioLimits())
        error: CallError | None = None
        try:
            async for message in messages:
                is_audio = message.WhichOneof("payload") == "audio"
                for step in hearing.push(meter.accept(message.audio)) if is_audio else hearing.flush():
                    outbox.take(step)
            for step in hearing.flush():
                outbox.take(step)
        except CallError as refusal:
            error = refusal
        outbox.end(error)


class _Outbox:
    """What is to be told of a stream, in order, each when it is due: what is decoded, a little later."""

    def __init__(self, decode_s: float, tells_partials: bool) -> None:
        self._decode_s = decode_s
        self._tells_partials = tells_partials
        self._queue: asyncio.Queue[_Outgoing | CallError | None] = asyncio.Queue()
        self._recorder = Recorder("stt")
        self._shown: tuple[str, ...] = ()  # the words of the newest decoding
        self._decoding: _Outgoing | None = None
        self._pause: _Outgoing | None = None

    def take(self, step: Step) -> None:
        """Something happened in the audio."""
        if step.kind is Kind.STARTED:
            self._recorder, self._shown = Recorder("stt"), ()
            self._recorder.number = step.number
            started = stt_pb2.SpeechStarted(utterance_id=step.utterance, start_ms=step.start_ms)
            self._put(_Response(speech_started=started), name="started")
        elif step.kind is Kind.PARTIAL:
            self._partial(step)
        elif step.kind is Kind.PAUSED:
            self._withdraw(self._decoding)
            self._recorder.note_again("paused")
            eager = _transcript(step) if step.words else None
            paused = stt_pb2.SpeechPaused(utterance_id=step.utterance, end_ms=step.end_ms, eager_transcript=eager)
            self._pause = self._put(_Response(speech_paused=paused), self._decode_s, name="eager")
        elif step.kind is Kind.RESUMED:
            self._resumed(step)
        else:
            self._end(step)

    def end(self, error: CallError | None) -> None:
        """Nothing more happens."""
        self._queue.put_nowait(error)

    async def responses(self) -> AsyncGenerator[stt_pb2.StreamingRecognizeResponse, None]:
        """All that is told."""
        while isinstance(outgoing := await self._queue.get(), _Outgoing):
            await asyncio.sleep(max(0.0, outgoing.due_at - time.monotonic()))
            if outgoing.is_withdrawn:
                continue
            outgoing.is_sent = True
            if outgoing.name:
                outgoing.recorder.note_again(outgoing.name)
            yield outgoing.response
            if outgoing.is_last:
                outgoing.recorder.write()
        if outgoing is not None:
            raise outgoing

    def _partial(self, step: Step) -> None:
        """The words that the decoding before this one had too; the others are still tentative."""
        if not self._tells_partials or (not step.words and not self._shown):
            return
        agreed = self._shown
        self._shown = step.words
        partial = _transcript(step, agreed)
        partial.stability = len(agreed) / len(step.words)
        partial.tentative_text = " ".join(step.words[len(agreed) :])
        self._decoding = self._put(_Response(transcript=partial), self._decode_s)

    def _resumed(self, step: Step) -> None:
        if self._pause is not None and self._pause.is_sent:
            resumed = stt_pb2.SpeechResumed(utterance_id=step.utterance, resumed_ms=step.at_ms)
            self._put(_Response(speech_resumed=resumed))
        else:
            self._withdraw(self._pause)  # over before anybody knew of it
        self._pause = None

    def _end(self, step: Step) -> None:
        self._recorder.note("endpoint")
        final = _transcript(step)
        final.is_final, final.stability = True, 1.0
        waits_s = 0.0 if self._pause is not None else self._decode_s  # the eager transcript is it
        ended = stt_pb2.UtteranceEnded(
            utterance_id=step.utterance, end_ms=step.end_ms, endpoint_ms=step.at_ms, reason=_REASONS[step.kind]
        )
        self._put(_Response(transcript=final), waits_s, name="final")
        self._put(_Response(utterance_ended=ended)).is_last = True
        self._pause = None

    def _put(self, response: stt_pb2.StreamingRecognizeResponse, later_s: float = 0.0, name: str = "") -> _Outgoing:
        outgoing = _Outgoing(response, time.monotonic() + later_s, self._recorder, name)
        self._queue.put_nowait(outgoing)
        return outgoing

    def _withdraw(self, outgoing: _Outgoing | None) -> None:
        if outgoing is not None:
            outgoing.is_withdrawn = True


def _transcript(step: Step, words: tuple[str, ...] | None = None) -> stt_pb2.Transcript:
    return stt_pb2.Transcript(
        utterance_id=step.utterance,
        text=" ".join(step.words if words is None else words),
        language_code="fr",
        start_ms=step.start_ms,
        end_ms=step.end_ms,
        backend=BACKEND,
    )
