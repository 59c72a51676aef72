"""Talking to the ears over a real socket: what the tests of the STT service share."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import numpy as np

from services.common.audio import Recording, encode_pcm
from services.common.channels import Connection
from services.common.exchange import exchange
from superwhisper.common.v1 import audio_pb2
from superwhisper.stt.v1 import stt_pb2, stt_pb2_grpc
from tests.support.servers import Child, child_service

Request = stt_pb2.StreamingRecognizeRequest
Response = stt_pb2.StreamingRecognizeResponse


def whisper(model: Path, **settings: object) -> tuple[str, ...]:
    """Flags for the service: this model first, pocketsphinx after it."""
    section = {"whisper": {"model": str(model), **settings}}
    return ("--stt.engines", '["whisper", "pocketsphinx"]', "--stt.whisper", json.dumps(section))


@asynccontextmanager
async def ears(*arguments: str) -> "AsyncIterator[tuple[Child, stt_pb2_grpc.SttServiceAsyncStub]]":
    """The service as a process of its own, and a stub for it."""
    async with child_service("stt", *arguments) as child, Connection(child.address).open() as channel:
        yield child, stt_pb2_grpc.SttServiceStub(channel)


def config(rate_hz: int = 16_000, **fields: object) -> Request:
    """The first message of a stream."""
    audio_format = audio_pb2.AudioFormat(sample_rate_hz=rate_hz)
    return Request(config=stt_pb2.StreamingRecognizeConfig(audio_format=audio_format, **fields))  # type: ignore[arg-type]


def messages(recording: Recording, silence_s: float = 1.0) -> list[Request]:
    """The recording and some silence, in messages of 100 ms: within the head start that a caller may take."""
    audio = encode_pcm(recording.samples) + bytes(int(recording.sample_rate_hz * silence_s) * 2)
    step = recording.sample_rate_hz // 10 * 2
    return [Request(audio=audio[start : start + step]) for start in range(0, len(audio), step)]


async def events(
    stub: "stt_pb2_grpc.SttServiceAsyncStub", requests: Sequence[Request], *, stay_open: bool = False
) -> list[Response]:
    """All that the stream answers; the error it ends with is raised."""

    async def sent() -> AsyncGenerator[Request, None]:
        for request in requests:
            yield request
        if stay_open:
            await asyncio.Event().wait()

    return [response async for response in exchange(stub.StreamingRecognize(timeout=60), sent())]


async def next_event(call: "grpc.aio.StreamStreamCall[Request, Response]") -> Response:
    """What comes next on a stream that the test writes by hand."""
    response = await call.read()
    assert isinstance(response, Response), "the stream ended"
    return response


def kinds(received: Sequence[Response]) -> list[str | None]:
    """What came, in order."""
    return [response.WhichOneof("event") for response in received]


def finals(received: Sequence[Response]) -> list[stt_pb2.Transcript]:
    """The final transcripts."""
    return [response.transcript for response in received if response.transcript.is_final]


async def recognised(
    stub: "stt_pb2_grpc.SttServiceAsyncStub", recording: Recording, **recognition: object
) -> stt_pb2.RecognizeResponse:
    """The transcript of a recording as raw PCM."""
    request = stt_pb2.RecognizeRequest(
        audio=encode_pcm(recording.samples),
        container=audio_pb2.AUDIO_CONTAINER_RAW,
        audio_format=audio_pb2.AudioFormat(sample_rate_hz=recording.sample_rate_hz),
        recognition=stt_pb2.RecognitionConfig(**recognition),  # type: ignore[arg-type]
    )
    return await stub.Recognize(request, timeout=60)


def joined(*parts: Recording | float) -> Recording:
    """Recordings at 16 kHz one after the other, with so many seconds of silence where a number stands."""
    samples = [
        part.samples if isinstance(part, Recording) else np.zeros(int(part * 16_000), np.int16) for part in parts
    ]
    return Recording(np.concatenate(samples), 16_000)
