"""The Converse stream: inputs in, events out, over as many connections as it takes. No terminal and no sound card."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

import grpc

from client.errors import CommandError, as_sentence
from client.events import ConnectionLost, End, Event, Input, MicrophoneAudio, Played, SessionOpened, TypedText
from client.messages import tr
from client.peers import Peer
from client.wire import from_response, to_request
from services.common.errors import RemoteError
from services.common.exchange import exchange
from services.common.status import from_rpc_error
from superwhisper.assistant.v1 import assistant_pb2, assistant_pb2_grpc
from superwhisper.common.v1 import audio_pb2

_WAITING_INPUTS = 50  # a second of microphone messages; whoever gives more waits until they are sent
_TRY_EVERY_S = 0.5
_DRAINING = "DRAINING"  # the assistant is being stopped: it ends each conversation after the turn that goes on


@dataclass(frozen=True)
class ConversationOptions:
    """What the person wants. Without a rate there is no audio in that direction; empty strings leave it open."""

    input_rate_hz: int | None = None
    output_rate_hz: int | None = None
    language_code: str = ""
    voice: str = ""
    system_prompt: str = ""
    interim_results: bool = True

    def to_message(self, resume_token: str) -> assistant_pb2.ConverseConfig:
        """As the first message of the stream."""
        return assistant_pb2.ConverseConfig(
            input_format=_format(self.input_rate_hz),
            output_format=_format(self.output_rate_hz),
            language_code=self.language_code,
            resume_token=resume_token,
            voice=self.voice,
            system_prompt=self.system_prompt,
            interim_results=self.interim_results,
        )


class Conversation:
    """One conversation with the assistant. `events` is read once, from beginning to end.

    A lost connection is made anew for `try_for_s`, and the conversation goes on; so it does elsewhere, or with the
    assistant once it is back, where it is being stopped.
    """

    def __init__(self, peer: Peer, options: ConversationOptions, limit_s: float, try_for_s: float) -> None:
        self._peer = peer
        self._options = options
        self._limit_s = limit_s
        self._try_for_s = try_for_s
        self._inputs: asyncio.Queue[Input] = asyncio.Queue(_WAITING_INPUTS)
        self._session: SessionOpened | None = None
        self._is_going = asyncio.Event()  # not so from a lost connection until the conversation goes on
        self._is_going.set()
        self._give_up_at = 0.0
        self._is_restarting = False  # the connection was lost because the assistant was stopped
        self._is_leaving = False

    async def give(self, given: Input) -> None:
        """Sends the assistant something; waits while it does not keep up."""
        self._is_leaving |= isinstance(given, End)
        if self._is_going.is_set() or not _is_of_the_moment(given):
            await self._inputs.put(given)

    def unsent_texts(self) -> list[str]:
        """What was typed and waits to be sent."""
        return [given.text for given in self._sift() if isinstance(given, TypedText)]

    async def events(self) -> AsyncGenerator[Event, None]:
        """All that the assistant tells, until the conversation is over. A failure is a CommandError."""
        async with self._peer.open() as channel:
            while not self._is_over():
                try:
                    async with aclosing(self._connected(channel)) as events:
                        async for event in events:
                            yield event
                except grpc.aio.AioRpcError as error:
                    loss = self._mendable(error)
                else:
                    return
                if self._is_going.is_set():
                    self._pause(is_restarting=loss.detailed_reason == _DRAINING)
                    if not self._is_over():
                        yield Event("", ConnectionLost(self._try_for_s))
                    if not self._is_restarting:
                        continue  # at once, for it may be no more than a hiccup
                await asyncio.sleep(_TRY_EVERY_S)

    async def _connected(self, channel: grpc.aio.Channel) -> AsyncGenerator[Event, None]:
        stub: assistant_pb2_grpc.AssistantServiceAsyncStub = assistant_pb2_grpc.AssistantServiceStub(channel)
        call = stub.Converse(**self._peer.call_options(self._limit_s))
        async with aclosing(exchange(call, self._requests())) as responses:
            async for response in responses:
                event = from_response(response)
                if event is None:
                    continue
                if isinstance(event.what, SessionOpened):
                    self._session = event.what
                    self._is_going.set()
                yield event

    async def _requests(self) -> AsyncGenerator[assistant_pb2.ConverseRequest, None]:
        token = self._session.resume_token if self._session else ""
        yield assistant_pb2.ConverseRequest(config=self._options.to_message(token))
        await self._is_going.wait()
        while True:
            yield to_request(await self._inputs.get())

    def _mendable(self, error: grpc.aio.AioRpcError) -> RemoteError:
        """How the connection was lost; raises what cannot be mended by trying again."""
        peer, session = self._peer, self._session
        remote = from_rpc_error(error, peer.title)
        is_in_time = self._is_going.is_set() or time.monotonic() < self._give_up_at
        is_loss = remote.detailed_reason in ("CONNECTION_LOST", _DRAINING)
        if is_loss and session and session.resume_token and is_in_time:
            return remote
        if remote.status is grpc.StatusCode.NOT_FOUND and not self._is_going.is_set():
            raise CommandError(self._forgotten()) from error
        raise as_sentence(error, peer.title, peer.address, had_answered=session is not None) from error

    def _forgotten(self) -> str:
        peer = self._peer
        if self._is_restarting:
            return tr("{service} was restarted and has forgotten this conversation; start anew", service=peer.title)
        return tr(
            "the connection to {service} at {address} was lost, and it does not remember the conversation; "
            "start anew to go on",
            service=peer.title,
            address=peer.address,
        )

    def _pause(self, *, is_restarting: bool) -> None:
        """The connection was lost."""
        self._is_going.clear()
        self._is_restarting = is_restarting
        self._give_up_at = time.monotonic() + self._try_for_s
        self._sift()

    def _is_over(self) -> bool:
        """Whether nobody needs to come back: the connection is lost, and the person only wanted to leave any more."""
        if self._is_going.is_set() or not self._is_leaving:
            return False
        return not any(isinstance(given, TypedText) for given in self._sift())

    def _sift(self) -> list[Input]:
        """Drops what counted only in a moment that is gone; what is left waits for a connection."""
        waiting = [self._inputs.get_nowait() for _ in range(self._inputs.qsize())]
        kept = [given for given in waiting if not _is_of_the_moment(given)]
        for given in kept:
            self._inputs.put_nowait(given)
        return kept


def _is_of_the_moment(given: Input) -> bool:
    return isinstance(given, MicrophoneAudio | Played)


def _format(rate_hz: int | None) -> audio_pb2.AudioFormat | None:
    return audio_pb2.AudioFormat(sample_rate_hz=rate_hz) if rate_hz else None
