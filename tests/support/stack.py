"""All four services as real processes with the embedded engines, and a client that speaks to them over the wire."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import grpc

from services.common.audio import Recording, encode_pcm, resample
from services.common.channels import Connection
from superwhisper.assistant.v1 import assistant_pb2 as pb
from superwhisper.assistant.v1 import assistant_pb2_grpc
from superwhisper.common.v1 import audio_pb2
from tests.support.servers import Child, child_service

RATE_HZ = 16_000
_MESSAGE_S = 0.02
_TURN_BOUND_S = 60.0


@dataclass
class Stack:
    """The four processes."""

    stt: Child
    llm: Child
    tts: Child
    orchestrator: Child


@contextlib.asynccontextmanager
async def running_stack(*, ears: Sequence[str] = (), mind: Sequence[str] = ()) -> AsyncIterator[Stack]:
    """Starts them together, as `make run` does, with these flags; ends them all."""
    flags = {"stt": ears, "llm": mind, "tts": ()}
    async with contextlib.AsyncExitStack() as exits:
        stt, llm, tts = await asyncio.gather(
            *(exits.enter_async_context(child_service(name, *given)) for name, given in flags.items())
        )
        addresses = [
            argument
            for child in (stt, llm, tts)
            for argument in (f"--orchestrator.{child.name}.address", child.address)
        ]
        yield Stack(stt, llm, tts, await exits.enter_async_context(child_service("orchestrator", *addresses)))


@dataclass
class Conversant:
    """A client of AssistantService that keeps all it is told."""

    address: str
    told: list[pb.ConverseResponse] = field(default_factory=list)

    @contextlib.asynccontextmanager
    async def conversing(self, *, microphone: bool = False) -> "AsyncIterator[Conversant]":
        connection = Connection(self.address)
        async with connection.open() as channel:
            stub: assistant_pb2_grpc.AssistantServiceAsyncStub = assistant_pb2_grpc.AssistantServiceStub(channel)
            self._call = stub.Converse(**connection.call_options(300))
            audio_format = audio_pb2.AudioFormat(sample_rate_hz=RATE_HZ)
            config = pb.ConverseConfig(
                input_format=audio_format if microphone else None, output_format=audio_format, interim_results=True
            )
            await self._call.write(pb.ConverseRequest(config=config))
            try:
                yield self
            finally:
                self._call.cancel()

    async def type(self, text: str) -> None:
        await self._call.write(pb.ConverseRequest(text=text))

    async def end(self) -> None:
        await self._call.write(pb.ConverseRequest(control=pb.Control(end=pb.End())))

    async def speak(self, recording: Recording) -> None:
        """As a microphone would: at the pace of time, with silence after it until the turn is over."""
        audio = encode_pcm(resample(recording, RATE_HZ).samples)
        step = int(RATE_HZ * _MESSAGE_S) * 2
        begins = time.monotonic()
        number = 0
        while not self.finished():
            piece = audio[number * step : (number + 1) * step].ljust(step, b"\0")
            await self._call.write(pb.ConverseRequest(audio=piece))
            number += 1
            await asyncio.sleep(max(0.0, begins + number * _MESSAGE_S - time.monotonic()))

    async def until(self, kind: str) -> pb.ConverseResponse:
        """Reads on until an event of this kind."""
        async with asyncio.timeout(_TURN_BOUND_S):
            while (response := await self._call.read()) is not grpc.aio.EOF:
                assert isinstance(response, pb.ConverseResponse)
                self.told.append(response)
                if response.WhichOneof("event") == kind:
                    return response
        raise AssertionError(f"the conversation ended without {kind}")

    def finished(self) -> bool:
        return bool(self.told) and any(response.HasField("turn_finished") for response in self.told)

    def kinds(self) -> list[str | None]:
        return [response.WhichOneof("event") for response in self.told]

    def text(self) -> str:
        return "".join(response.reply_text.text_delta for response in self.told)

    def audio(self) -> bytes:
        return b"".join(response.reply_audio.audio for response in self.told)
