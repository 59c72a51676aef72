"""An assistant that follows a script, over a real socket: `async with serving(assistant.service()) as address`.

It hears as ears do: an utterance is over when it was loud and then silent for a while. What it hears or reads begins
the next turn of its script. A turn lasts until its audio was played; meanwhile a test may have it yield. Served again
after a lost connection, it goes on with a session that it knows. While `draining`, it ends each conversation after the
turn that goes on, as one that is being stopped.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass, field

import grpc
from prometheus_client import CollectorRegistry

from services.common.errors import CallError, LimitExceededError, NotFoundError, UnavailableError
from services.common.lifecycle import Service
from services.common.tasks import cancel_and_wait
from superwhisper.assistant.v1 import assistant_pb2 as pb
from superwhisper.assistant.v1 import assistant_pb2_grpc
from tests.fakes.crude_ears import CrudeEars
from tests.fakes.given_reply import GivenReply, state

_TOKEN = "secret"
_Said = pb.ConverseRequest | UnavailableError | None  # what begins a turn; how or that the conversation ends


@dataclass(frozen=True)
class ScriptedTurn:
    """What is said in one turn."""

    heard: str = "what is your name"
    partials: Sequence[str] = ()
    reply: Sequence[str] = ("I am ", "an assistant.")
    audio: Sequence[bytes] = (bytes(range(200)) * 2,)
    degraded: pb.Degraded | None = None
    yields: "pb.HoldMode.ValueType" = pb.HOLD_MODE_UNSPECIFIED  # so after its first audio, until the test decides
    interrupted: str | None = None  # what was heard of the reply before it was cut off, as soon as it was begun
    outcome: "pb.TurnOutcome.ValueType" = pb.TURN_OUTCOME_COMPLETED
    breaks: CallError | None = None  # ends the conversation after the reply's text
    hangs: bool = False  # after the reply's text nothing more comes


@dataclass
class ScriptedAssistant(assistant_pb2_grpc.AssistantServiceServicer):
    """Plays one script for all conversations, and keeps what it is given."""

    script: Sequence[ScriptedTurn]
    leaves: bool = False  # ends each conversation, well, after its first turn
    is_stuck: bool = False  # it takes a new connection, and nothing comes of it
    draining: asyncio.Event = field(default_factory=asyncio.Event)  # it is being stopped
    is_deaf: bool = False  # it reads one message more, which is lost
    configs: list[pb.ConverseConfig] = field(default_factory=list)
    audio: list[bytes] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    playback: list[tuple[str, int]] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    unheard: list[str] = field(default_factory=list)  # the kinds of messages that were lost
    stuck: int = 0  # connections of which nothing came
    ended: int = 0  # conversations of which nothing is left
    reply: GivenReply | None = None  # that is being given, also without a connection
    _turns: int = 0

    def service(self) -> Service:
        """For `tests.support.servers.serving`."""

        async def nothing() -> None:
            pass

        async def for_ever() -> None:
            await asyncio.Event().wait()

        def register(server: grpc.aio.Server) -> None:
            assistant_pb2_grpc.add_AssistantServiceServicer_to_server(self, server)

        return Service(
            descriptor=pb.DESCRIPTOR.services_by_name["AssistantService"],
            register=register,
            limits={},
            start=nothing,
            ready=lambda: True,
            keep_up=for_ever,
            close=nothing,
            registry=CollectorRegistry(),
        )

    async def Converse(  # noqa: N802  # gRPC's name
        self,
        request_iterator: AsyncIterator[pb.ConverseRequest],
        context: grpc.aio.ServicerContext[object, object],
    ) -> AsyncGenerator[pb.ConverseResponse, None]:
        said: asyncio.Queue[_Said] = asyncio.Queue()
        tasks: list[asyncio.Task[None]] = []
        try:
            config = (await anext(request_iterator)).config
            if self.is_stuck:
                self.stuck += 1
                await asyncio.Event().wait()
            for response in self._opened(config):
                yield response
            rate_hz = config.input_format.sample_rate_hz
            tasks.append(asyncio.create_task(self._read(request_iterator, rate_hz, said)))
            tasks.append(asyncio.create_task(self._drain(said)))
            async for response in self._converse(config, said):
                yield response
        finally:
            await cancel_and_wait(*tasks)
            self.ended += 1

    async def GetCapabilities(  # noqa: N802  # gRPC's name
        self, request: pb.GetCapabilitiesRequest, context: grpc.aio.ServicerContext[object, object]
    ) -> pb.GetCapabilitiesResponse:
        return pb.GetCapabilitiesResponse()

    def _opened(self, config: pb.ConverseConfig) -> list[pb.ConverseResponse]:
        if config.resume_token and not (self.configs and config.resume_token == _TOKEN):
            raise NotFoundError("there is no such session")
        self.configs.append(config)
        session = pb.Session(
            session_id="s1",
            resume_token=_TOKEN,
            resumed=bool(config.resume_token),
            output_format=config.output_format,
        )
        return [pb.ConverseResponse(session=session)]

    async def _converse(
        self, config: pb.ConverseConfig, said: asyncio.Queue[_Said]
    ) -> AsyncIterator[pb.ConverseResponse]:
        if self.reply is None:
            yield state(pb.ASSISTANT_STATE_LISTENING)
        else:
            for response in self.reply.texts():
                yield response
            async for response in self._rest_of_turn(self.reply):
                yield response
        while (request := await said.get()) is not None:
            if isinstance(request, UnavailableError):
                raise request
            async for response in self._turn(request, config.output_format.sample_rate_hz):
                yield response
            if self.leaves:
                return

    async def _read(
        self,
        requests: AsyncIterator[pb.ConverseRequest],
        rate_hz: int,
        said: asyncio.Queue[_Said],
    ) -> None:
        """Puts what begins a turn, and None at the end."""
        ears = CrudeEars(rate_hz)
        async for request in requests:
            await self._lose(request)
            match request.WhichOneof("payload"):
                case "audio":
                    self.audio.append(request.audio)
                    if ears.heard(request.audio):
                        said.put_nowait(request)
                case "text":
                    self.texts.append(request.text)
                    said.put_nowait(request)
                case "playback":
                    self._played(request.playback)
                case "control":
                    if self._command(request.control) == "end":
                        break
        said.put_nowait(None)

    def _command(self, control: pb.Control) -> str:
        command = str(control.WhichOneof("command"))
        self.commands.append(command)
        if command == "interrupt" and self.reply is not None:
            self.reply.cut("")
        return command

    async def _drain(self, said: asyncio.Queue[_Said]) -> None:
        await self.draining.wait()
        said.put_nowait(UnavailableError("the assistant is going down", reason="DRAINING"))

    async def _lose(self, request: pb.ConverseRequest) -> None:
        if self.is_deaf:
            self.unheard.append(str(request.WhichOneof("payload")))
            await asyncio.Event().wait()

    def _played(self, playback: pb.Playback) -> None:
        self.playback.append((playback.turn_id, playback.played_samples))
        if self.reply is not None and self.reply.turn_id == playback.turn_id:
            self.reply.reported(playback.played_samples)

    async def _turn(self, request: pb.ConverseRequest, rate_hz: int) -> AsyncIterator[pb.ConverseResponse]:
        if self._turns >= len(self.script):
            raise LimitExceededError("the script is over")
        turn = self.script[self._turns]
        self._turns += 1
        reply = GivenReply(f"turn-{self._turns}", turn.reply, turn.audio, rate_hz, turn.yields)
        for response in [*_heard(turn, reply.turn_id, request.text), *reply.texts()]:
            yield response
        if turn.breaks is not None:
            raise turn.breaks
        if turn.hangs:
            await asyncio.Event().wait()
        reply.cut_at = turn.interrupted
        self.reply = reply
        async for response in self._rest_of_turn(reply):
            yield response

    async def _rest_of_turn(self, reply: GivenReply) -> AsyncIterator[pb.ConverseResponse]:
        async for response in reply.responses():
            yield response
        self.reply = None
        was_cut = reply.cut_at is not None
        outcome = pb.TURN_OUTCOME_INTERRUPTED if was_cut else self.script[self._turns - 1].outcome
        timings = pb.TurnTimings(transcript_ms=120, first_token_ms=150, first_audio_ms=180, total_ms=900)
        if reply.is_reported:
            timings.first_heard_ms = 240
        backends = pb.TurnBackends(stt="scripted", llm="scripted", tts="scripted")
        finished = pb.TurnFinished(outcome=outcome, timings=timings, backends=backends)
        yield pb.ConverseResponse(turn_id=reply.turn_id, turn_finished=finished)
        yield state(pb.ASSISTANT_STATE_LISTENING)


def _heard(turn: ScriptedTurn, turn_id: str, typed: str) -> list[pb.ConverseResponse]:
    partials = () if typed else turn.partials
    final = pb.UserTranscript(text=typed or turn.heard, is_final=True, stability=1, typed=bool(typed))
    degraded = [pb.ConverseResponse(turn_id=turn_id, degraded=turn.degraded)] if turn.degraded else []
    return [
        *(pb.ConverseResponse(transcript=pb.UserTranscript(text=text, stability=0.5)) for text in partials),
        state(pb.ASSISTANT_STATE_THINKING, turn_id),
        pb.ConverseResponse(turn_id=turn_id, transcript=final),
        *degraded,
    ]
