"""A caller in any language whose microphone is overheard: the same ears hear the same audio in a stream of their own.

What that witness is told, and when, is the ears' share of a reaction; what comes later is the rest of the assistant's.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

from services.common.channels import Connection
from services.common.exchange import exchange
from services.common.settings import load
from services.common.tasks import cancel_and_wait
from services.orchestrator.config import OrchestratorSettings
from superwhisper.assistant.v1 import assistant_pb2 as pb
from superwhisper.assistant.v1 import assistant_pb2_grpc
from superwhisper.common.v1 import audio_pb2
from superwhisper.stt.v1 import stt_pb2, stt_pb2_grpc
from tests.support.conversing import RATE_HZ, Caller, kind_is
from tests.support.loudspeaker import Loudspeaker
from tests.support.waiting import wait_until

_LIMIT_S = 3600
_WAITING = 1000  # messages: twenty seconds of ears that take nothing
_FORMAT = audio_pb2.AudioFormat(sample_rate_hz=RATE_HZ)
_Request = stt_pb2.StreamingRecognizeRequest


@dataclass(frozen=True)
class Heard:
    """What the ears told, and when it came (time.monotonic)."""

    at: float
    response: stt_pb2.StreamingRecognizeResponse

    @property
    def kind(self) -> str | None:
        """Which event it is."""
        return self.response.WhichOneof("event")


class Witness:
    """A stream of the ears beside the conversation. All that it was told stands in `heard`, in order."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self._audio: asyncio.Queue[bytes] = asyncio.Queue(_WAITING)

    def take(self, audio: bytes) -> None:
        """What the microphone sends."""
        self._audio.put_nowait(audio)

    def started_at(self, since: float) -> float | None:
        """When it was first told of speech after that moment, if it was."""
        return next((one.at for one in self.heard if one.at >= since and one.kind == "speech_started"), None)

    def words(self, since: float) -> str:
        """What it understood of all that was over after that moment."""
        finals = (one.response.transcript for one in self.heard if one.at >= since and one.kind == "transcript")
        return " ".join(final.text for final in finals if final.is_final and final.text)

    async def silence(self) -> None:
        """Waits until the ears have told the end of all that they told the beginning of."""
        await wait_until(lambda: self._count("speech_started") == self._count("utterance_ended"), "the end of speech")

    async def listen(self, address: str, language_code: str) -> None:
        """Listens until it is cancelled."""
        connection = Connection(address)
        async with connection.open() as channel:
            stub: stt_pb2_grpc.SttServiceAsyncStub = stt_pb2_grpc.SttServiceStub(channel)
            call: Any = stub.StreamingRecognize(**connection.call_options(_LIMIT_S))
            async with contextlib.aclosing(exchange(call, self._requests(language_code))) as responses:
                async for response in responses:
                    self.heard.append(Heard(time.monotonic(), response))

    async def _requests(self, language_code: str) -> AsyncGenerator[_Request, None]:
        recognition = stt_pb2.RecognitionConfig(language_code=language_code)
        min_speech_ms = load(OrchestratorSettings).orchestrator.barge_in.min_speech_ms  # as the orchestrator asks for
        endpointing = stt_pb2.EndpointingConfig(min_speech_ms=min_speech_ms)
        config = stt_pb2.StreamingRecognizeConfig(
            audio_format=_FORMAT, recognition=recognition, endpointing=endpointing
        )
        yield _Request(config=config)
        while True:
            yield _Request(audio=await self._audio.get())

    def _count(self, kind: str) -> int:
        return sum(one.kind == kind for one in self.heard)


@contextlib.asynccontextmanager
async def overheard(address: str, ears: str, language_code: str) -> AsyncIterator[tuple[Caller, Witness]]:
    """A conversation, and the witness of what is said in it."""
    witness = Witness()
    listening = asyncio.create_task(witness.listen(ears, language_code))
    try:
        async with conversing_in(language_code, address, overhear=witness.take) as caller:
            yield caller, witness
    finally:
        await cancel_and_wait(listening)


@contextlib.asynccontextmanager
async def conversing_in(
    language_code: str, address: str, overhear: Callable[[bytes], None] = lambda _audio: None
) -> AsyncIterator[Caller]:
    """A conversation with microphone and loudspeaker, at the pace of time, in a language."""
    connection, caller = Connection(address), Caller(Loudspeaker(RATE_HZ))
    config = pb.ConverseConfig(
        input_format=_FORMAT, output_format=_FORMAT, language_code=language_code, interim_results=True
    )
    async with connection.open() as channel:
        stub: assistant_pb2_grpc.AssistantServiceAsyncStub = assistant_pb2_grpc.AssistantServiceStub(channel)
        call: Any = stub.Converse(**connection.call_options(_LIMIT_S))
        requests = _overheard(caller.requests(config), overhear)
        tasks = [asyncio.create_task(caller.read(exchange(call, requests)))]
        try:
            await caller.until(kind_is("session"))
            tasks += [asyncio.create_task(caller.speak()), asyncio.create_task(caller.report())]
            yield caller
        finally:
            await cancel_and_wait(*tasks)


async def _overheard(
    requests: AsyncGenerator[pb.ConverseRequest, None], overhear: Callable[[bytes], None]
) -> AsyncGenerator[pb.ConverseRequest, None]:
    async with contextlib.aclosing(requests):
        async for request in requests:
            if request.WhichOneof("payload") == "audio":
                overhear(request.audio)
            yield request
