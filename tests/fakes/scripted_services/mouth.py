"""The scripted mouth: TtsService of known speed."""

# ruff: noqa: N802  # gRPC's method names

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import TypeVar

from services.common.audio import check_rate
from services.common.errors import InvalidInputError
from services.common.streams import Messages
from services.common.tasks import read_ahead
from superwhisper.common.v1 import audio_pb2, capabilities_pb2
from superwhisper.tts.v1 import tts_pb2, tts_pb2_grpc
from tests.fakes.scripted_services.ears import IDLE_LIMIT_S
from tests.fakes.scripted_services.records import Recorder
from tests.fakes.scripted_services.script import MouthSpeed, number_in
from tests.fakes.scripted_services.speech import CHUNK_MS, Chunk, Cutter, Piece, chunks
from tests.support.scripted import Context

BACKEND, VOICE = "scripted-mouth", "scripted"
_OWN_RATE_HZ = 22_050
_PIECES_AHEAD = 100
ResponseT = TypeVar("ResponseT", tts_pb2.StreamingSynthesizeResponse, tts_pb2.SynthesizeResponse)


@dataclass
class _Tally:
    """What was spoken of how much."""

    characters: int = 0
    spoken_ms: float = 0.0


class ScriptedMouth(tts_pb2_grpc.TtsServiceServicer):
    """Speaks whatever it is given."""

    def __init__(self, speed: MouthSpeed) -> None:
        self._speed = speed

    async def StreamingSynthesize(
        self, request_iterator: AsyncIterator[tts_pb2.StreamingSynthesizeRequest], context: Context
    ) -> AsyncGenerator[tts_pb2.StreamingSynthesizeResponse, None]:
        """See the proto."""
        messages = Messages(request_iterator, IDLE_LIMIT_S)
        rate_hz = _rate((await messages.first()).config.audio_format)
        recorder, tally = Recorder("tts"), _Tally()
        pieces = _pieces(messages, recorder, tally)
        spoken = self._speak(pieces, rate_hz, recorder, tally, tts_pb2.StreamingSynthesizeResponse)
        async with aclosing(spoken) as responses:
            async for response in responses:
                yield response

    async def Synthesize(
        self, request: tts_pb2.SynthesizeRequest, context: Context
    ) -> AsyncGenerator[tts_pb2.SynthesizeResponse, None]:
        """See the proto."""
        if not request.text.strip():
            raise InvalidInputError("text", "there is nothing to say")
        recorder, tally = Recorder("tts"), _Tally(len(request.text))
        pieces = _of_whole(request.text, recorder)
        spoken = self._speak(pieces, _rate(request.audio_format), recorder, tally, tts_pb2.SynthesizeResponse)
        async with aclosing(spoken) as responses:
            async for response in responses:
                yield response

    async def ListVoices(self, request: tts_pb2.ListVoicesRequest, context: Context) -> tts_pb2.ListVoicesResponse:
        """See the proto."""
        voice = tts_pb2.Voice(name=VOICE, language_codes=["fr"], backend=BACKEND, sample_rate_hz=_OWN_RATE_HZ)
        return tts_pb2.ListVoicesResponse(voices=[voice])

    async def GetCapabilities(
        self, request: tts_pb2.GetCapabilitiesRequest, context: Context
    ) -> tts_pb2.GetCapabilitiesResponse:
        """See the proto."""
        engine = capabilities_pb2.EngineInfo(name=BACKEND, state=capabilities_pb2.ENGINE_STATE_READY)
        return tts_pb2.GetCapabilitiesResponse(engines=[engine])

    async def _speak(
        self,
        pieces: AsyncGenerator[Piece, None],
        rate_hz: int,
        recorder: Recorder,
        tally: _Tally,
        message: Callable[..., ResponseT],
    ) -> AsyncGenerator[ResponseT, None]:
        """All messages of a call, and its record."""
        recorder.note("began")
        began, outcome = time.monotonic(), "cancelled"
        try:
            audio_format = audio_pb2.AudioFormat(sample_rate_hz=rate_hz)
            yield message(started=tts_pb2.SynthesisStarted(audio_format=audio_format, voice=VOICE, backend=BACKEND))
            async with aclosing(self._audio(pieces, rate_hz, tally)) as chunks_due:
                async for chunk in chunks_due:
                    recorder.note("audio")
                    yield message(audio=chunk)
            yield message(
                finished=tts_pb2.SynthesisFinished(
                    duration_ms=tally.spoken_ms,
                    characters=tally.characters,
                    first_audio_ms=self._speed.first_audio_ms,
                    processing_ms=(time.monotonic() - began) * 1000,
                )
            )
            outcome = "finished"
        finally:
            recorder.write(outcome)

    async def _audio(
        self, pieces: AsyncGenerator[Piece, None], rate_hz: int, tally: _Tally
    ) -> AsyncGenerator[tts_pb2.AudioChunk, None]:
        """The chunks of all pieces, each when it is made."""
        async with aclosing(read_ahead(pieces, _PIECES_AHEAD)) as coming:
            async for piece in coming:
                began = time.monotonic()
                for made, chunk in enumerate(chunks(piece, rate_hz, self._speed.ms_per_character)):
                    due_ms = self._speed.first_audio_ms + made * CHUNK_MS * self._speed.rtf
                    await asyncio.sleep(max(0.0, began + due_ms / 1000 - time.monotonic()))
                    yield _on_the_wire(chunk, piece, tally.spoken_ms)
                    tally.spoken_ms += len(chunk.audio) * 500 / rate_hz


async def _pieces(
    messages: Messages[tts_pb2.StreamingSynthesizeRequest], recorder: Recorder, tally: _Tally
) -> AsyncGenerator[Piece, None]:
    """What is to be spoken of a text that is still being written."""
    cutter = Cutter()
    async for message in messages:
        is_text = message.WhichOneof("payload") == "text_delta"
        tally.characters += len(message.text_delta)
        for piece in cutter.push(message.text_delta) if is_text else cutter.flush():
            _note(recorder, piece)
            yield piece
    for piece in cutter.flush():
        _note(recorder, piece)
        yield piece


async def _of_whole(text: str, recorder: Recorder) -> AsyncGenerator[Piece, None]:
    """The same of a whole text."""
    cutter = Cutter()
    for piece in (*cutter.push(text), *cutter.flush()):
        _note(recorder, piece)
        yield piece


def _note(recorder: Recorder, piece: Piece) -> None:
    if not piece.number:
        recorder.note("clause")
        recorder.number = number_in(piece.text)


def _rate(audio_format: audio_pb2.AudioFormat) -> int:
    given = audio_format.sample_rate_hz
    return check_rate(given, "audio_format.sample_rate_hz") if given else _OWN_RATE_HZ


def _on_the_wire(chunk: Chunk, piece: Piece, offset_ms: float) -> tts_pb2.AudioChunk:
    return tts_pb2.AudioChunk(
        audio=chunk.audio,
        offset_ms=offset_ms,
        span=audio_pb2.TextSpan(start=chunk.start, end=chunk.end),
        backend=BACKEND,
        piece=piece.number,
    )
