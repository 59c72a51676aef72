"""The mouth, whole: its real engines behind a real socket, and what a caller hears of it."""

import contextlib
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import grpc
import numpy as np
import pytest
from numpy.typing import NDArray

from services.common.audio import decode_pcm
from services.common.settings import load
from services.common.status import from_rpc_error
from services.tts.__main__ import build
from services.tts.config import TtsSettings
from superwhisper.tts.v1 import tts_pb2, tts_pb2_grpc
from tests.support.scripted import LIMIT_S, channel_to, stub_for
from tests.support.servers import serving

Stub: TypeAlias = "tts_pb2_grpc.TtsServiceAsyncStub"  # which only its types know
Request = tts_pb2.StreamingSynthesizeRequest
FLUSH = Request(control=tts_pb2.SynthesisControl(flush=tts_pb2.Flush()))
TONE_ALONE = ("--tts.engines", '["tone"]')


@dataclass
class RunningMouth:
    """A mouth and its client."""

    stub: "Stub"
    requests: Any  # to engines, so far, as its metrics tell


@contextlib.asynccontextmanager
async def running_mouth(*flags: str) -> AsyncIterator[RunningMouth]:
    """One with espeak-ng in this process at a time: its library has global state, which the last engine has hold of."""
    service = build(load(TtsSettings, ["--profile", "embedded", *flags]))

    def requests() -> int:
        return sum(
            int(sample.value)
            for metric in service.registry.collect()
            for sample in metric.samples
            if sample.name == "tts_requests_total"
        )

    async with serving(service) as address, channel_to(address) as channel:
        yield RunningMouth(stub_for(channel), requests)


@dataclass
class Heard:
    """What a synthesis answered, in the order that the contract says."""

    started: tts_pb2.SynthesisStarted = field(default_factory=tts_pb2.SynthesisStarted)
    chunks: list[tts_pb2.AudioChunk] = field(default_factory=list)
    finished: tts_pb2.SynthesisFinished = field(default_factory=tts_pb2.SynthesisFinished)

    @classmethod
    def of(cls, responses: Iterable[tts_pb2.StreamingSynthesizeResponse | tts_pb2.SynthesizeResponse]) -> "Heard":
        """All responses of a call."""
        speech, kinds = cls(), []
        for response in responses:
            kinds.append(response.WhichOneof("event"))
            if response.HasField("started"):
                speech.started = response.started
            elif response.HasField("audio"):
                speech.chunks.append(response.audio)
            else:
                speech.finished = response.finished
        assert kinds == ["started", *["audio"] * (len(kinds) - 2), "finished"]
        return speech

    @property
    def rate_hz(self) -> int:
        """Of the audio."""
        return self.started.audio_format.sample_rate_hz

    @property
    def audio(self) -> bytes:
        """All of it."""
        return b"".join(chunk.audio for chunk in self.chunks)

    @property
    def loudness(self) -> float:
        """0 for silence."""
        return float(np.sqrt(np.mean(decode_pcm(self.audio, "audio").astype(float) ** 2)))

    def likeness(self, other: "Heard") -> float:
        """1 for the same words said the same way, about 0 for others: espeak-ng never says anything twice alike."""
        mine, theirs = self._envelope(), other._envelope()
        count = min(mine.size, theirs.size)
        return float(np.corrcoef(mine[:count], theirs[:count])[0, 1])

    def _envelope(self) -> NDArray[np.float64]:
        """How loud it is, every 40 ms."""
        step = self.rate_hz * 40 // 1000
        samples = decode_pcm(self.audio, "audio").astype(float)
        windows = samples[: samples.size // step * step].reshape(-1, step)
        loudness: NDArray[np.float64] = np.log10(np.sqrt((windows**2).mean(axis=1)) + 30)
        return loudness

    @property
    def pieces(self) -> list[tuple[int, int]]:
        """The characters of each piece."""
        by_number: dict[int, tuple[int, int]] = {}
        for chunk in self.chunks:
            start, end = by_number.get(chunk.piece, (chunk.span.start, chunk.span.end))
            by_number[chunk.piece] = (min(start, chunk.span.start), max(end, chunk.span.end))
        return list(by_number.values())

    def check(self, text: str) -> None:
        """That chunks follow each other, last 20 to 40 ms, and say the text from its beginning to its end."""
        samples = place = 0
        for chunk in self.chunks:
            assert chunk.offset_ms == pytest.approx(samples * 1000 / self.rate_hz)
            assert 19.9 <= len(chunk.audio) * 500 / self.rate_hz <= 40.1
            assert place <= chunk.span.end <= len(text)
            assert chunk.span.start < chunk.span.end
            samples, place = samples + len(chunk.audio) // 2, chunk.span.end
        assert self.finished.duration_ms == pytest.approx(samples * 1000 / self.rate_hz)
        assert self.finished.characters == len(text)
        numbers = [chunk.piece for chunk in self.chunks]
        assert list(dict.fromkeys(numbers)) == list(range(max(numbers, default=-1) + 1))


async def say(stub: "Stub", text: str, **request: Any) -> Heard:
    """A whole text."""
    call = stub.Synthesize(tts_pb2.SynthesizeRequest(text=text, **request), timeout=LIMIT_S)
    return Heard.of([response async for response in call])


def config(**settings: Any) -> Request:
    """The first message of a stream."""
    return Request(config=tts_pb2.StreamingSynthesizeConfig(**settings))


async def pour(stub: "Stub", portions: Sequence[str], **settings: Any) -> Heard:
    """A text in portions."""
    messages = each([config(**settings), *(Request(text_delta=portion) for portion in portions)])
    return Heard.of([response async for response in stub.StreamingSynthesize(messages, timeout=LIMIT_S)])


async def each(requests: Iterable[Request]) -> AsyncIterator[Request]:
    """One after the other."""
    for request in requests:
        yield request


async def opened(stub: "Stub", *portions: str | Request) -> Any:
    """A stream that was sent these."""
    call = stub.StreamingSynthesize(timeout=LIMIT_S)
    await call.write(config())
    for portion in portions:
        await call.write(Request(text_delta=portion) if isinstance(portion, str) else portion)
    return call


async def rest_of(call: Any) -> AsyncIterator[tts_pb2.StreamingSynthesizeResponse]:
    """What still comes."""
    while (response := await call.read()) is not grpc.aio.EOF:
        yield response


async def refusal_of(call: Any) -> tuple[str, str, str]:
    """Status, field and sentence of a call that fails."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        async for _ in call:
            pass
    error = from_rpc_error(caught.value, "tts")
    return error.status.name, error.field, error.message
