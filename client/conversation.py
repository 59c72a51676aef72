"""The Converse stream: inputs in, events out. No terminal and no sound card here."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from client.events import Event, Input
from client.peers import Peer
from client.wire import from_response, to_request
from superwhisper.assistant.v1 import assistant_pb2, assistant_pb2_grpc
from superwhisper.common.v1 import audio_pb2

_WAITING_INPUTS = 50  # a second of microphone messages; whoever gives more waits until they are sent


@dataclass(frozen=True)
class ConversationOptions:
    """What the person wants. Without a rate there is no audio in that direction; empty strings leave it open."""

    input_rate_hz: int | None = None
    output_rate_hz: int | None = None
    language_code: str = ""
    voice: str = ""
    system_prompt: str = ""
    interim_results: bool = True

    def to_message(self) -> assistant_pb2.ConverseConfig:
        """As the first message of the stream."""
        return assistant_pb2.ConverseConfig(
            input_format=_format(self.input_rate_hz),
            output_format=_format(self.output_rate_hz),
            language_code=self.language_code,
            voice=self.voice,
            system_prompt=self.system_prompt,
            interim_results=self.interim_results,
        )


class Conversation:
    """One conversation with the assistant. `events` is read once, from beginning to end."""

    def __init__(self, peer: Peer, options: ConversationOptions, limit_s: float) -> None:
        self._peer = peer
        self._options = options
        self._limit_s = limit_s
        self._inputs: asyncio.Queue[Input] = asyncio.Queue(_WAITING_INPUTS)

    async def give(self, given: Input) -> None:
        """Sends the assistant something; waits while it does not keep up."""
        await self._inputs.put(given)

    async def events(self) -> AsyncGenerator[Event, None]:
        """All that the assistant tells, until the conversation is over. A lost connection is a CommandError."""
        async with self._peer.open() as channel:
            stub: assistant_pb2_grpc.AssistantServiceAsyncStub = assistant_pb2_grpc.AssistantServiceStub(channel)
            call = stub.Converse(**self._peer.call_options(self._limit_s))
            async with aclosing(self._peer.responses(call, self._requests())) as responses:
                async for response in responses:
                    event = from_response(response)
                    if event is not None:
                        yield event

    async def _requests(self) -> AsyncGenerator[assistant_pb2.ConverseRequest, None]:
        yield assistant_pb2.ConverseRequest(config=self._options.to_message())
        while True:
            yield to_request(await self._inputs.get())


def _format(rate_hz: int | None) -> audio_pb2.AudioFormat | None:
    return audio_pb2.AudioFormat(sample_rate_hz=rate_hz) if rate_hz else None
