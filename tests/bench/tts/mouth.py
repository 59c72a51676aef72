"""The mouth as its callers know it: over gRPC, with the time of everything that comes."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from services.common.channels import Connection
from services.common.exchange import exchange
from superwhisper.tts.v1 import tts_pb2, tts_pb2_grpc

_LIMIT_S = 120.0
_Request = tts_pb2.StreamingSynthesizeRequest


@dataclass(frozen=True)
class Spoken:
    """When what of a speech came, in seconds of the clock."""

    began_s: float
    first_s: float
    ended_s: float
    finished: tts_pb2.SynthesisFinished
    audio_bytes: int

    @property
    def first_ms(self) -> float:
        """Until the first audio."""
        return (self.first_s - self.began_s) * 1000

    @property
    def all_ms(self) -> float:
        """Until the last."""
        return (self.ended_s - self.began_s) * 1000

    @property
    def rtf(self) -> float:
        """That as a share of what was spoken."""
        return self.all_ms / self.finished.duration_ms


class Mouth:
    """A caller of the service."""

    def __init__(self, stub: "tts_pb2_grpc.TtsServiceAsyncStub", voice: str) -> None:
        self._stub = stub
        self._voice = voice

    @classmethod
    @asynccontextmanager
    async def at(cls, address: str, voice: str) -> "AsyncIterator[Mouth]":
        """A caller with a connection of its own."""
        async with Connection(address).open() as channel:
            yield cls(tts_pb2_grpc.TtsServiceStub(channel), voice)

    async def say(self, text: str, language_code: str) -> Spoken:
        """A whole text."""
        request = tts_pb2.SynthesizeRequest(text=text, voice=self._choice(language_code))
        return await _timed(exchange(self._stub.Synthesize(request, timeout=_LIMIT_S)))

    async def say_along(self, portions: Iterable[str], language_code: str) -> Spoken:
        """A text as a stream, all at once."""

        async def requests() -> AsyncGenerator[_Request, None]:
            yield self._config(language_code)
            for portion in portions:
                yield _Request(text_delta=portion)

        return await _timed(exchange(self._stub.StreamingSynthesize(timeout=_LIMIT_S), requests()))

    async def first_audio_s(
        self, tokens: Iterable[str], per_s: float, language_code: str, sent_s: list[float]
    ) -> float:
        """When the first audio of a text came that is written at this pace; `sent_s` gets the time of each token."""

        async def requests() -> AsyncGenerator[_Request, None]:
            yield self._config(language_code)
            began_s = time.perf_counter()
            for number, token in enumerate(tokens):
                await asyncio.sleep(max(0.0, began_s + number / per_s - time.perf_counter()))
                sent_s.append(time.perf_counter())
                yield _Request(text_delta=token)

        call = exchange(self._stub.StreamingSynthesize(timeout=_LIMIT_S), requests())
        async with aclosing(call) as responses:
            async for response in responses:
                if response.HasField("audio"):
                    return time.perf_counter()
        raise AssertionError("it said nothing")

    def _choice(self, language_code: str) -> tts_pb2.VoiceConfig:
        return tts_pb2.VoiceConfig(language_code=language_code, voice=self._voice)

    def _config(self, language_code: str) -> _Request:
        return _Request(config=tts_pb2.StreamingSynthesizeConfig(voice=self._choice(language_code)))


async def _timed(responses: AsyncGenerator[Any, None]) -> Spoken:
    began_s = first_s = time.perf_counter()
    audio_bytes = 0
    finished = tts_pb2.SynthesisFinished()
    async with aclosing(responses):
        async for response in responses:
            if response.HasField("audio"):
                first_s = first_s if audio_bytes else time.perf_counter()
                audio_bytes += len(response.audio.audio)
            elif response.HasField("finished"):
                finished = response.finished
    return Spoken(began_s, first_s, time.perf_counter(), finished, audio_bytes)
