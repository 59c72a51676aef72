"""An assistant that follows a script, over a real socket: `async with serving(assistant.service()) as address`.

It hears as ears do: an utterance is over when it was loud and then silent for a while. What it hears or reads begins
the next turn of its script.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass, field

import grpc
import numpy as np
from prometheus_client import CollectorRegistry

from services.common.audio import decode_pcm
from services.common.errors import CallError, LimitExceededError
from services.common.lifecycle import Service
from superwhisper.assistant.v1 import assistant_pb2 as pb
from superwhisper.assistant.v1 import assistant_pb2_grpc
from superwhisper.common.v1 import audio_pb2

_SILENCE_MS = 200
_LOUD = 100


@dataclass(frozen=True)
class ScriptedTurn:
    """What is said in one turn."""

    heard: str = "what is your name"
    partials: Sequence[str] = ()
    reply: Sequence[str] = ("I am ", "an assistant.")
    audio: Sequence[bytes] = (bytes(range(200)) * 2,)
    degraded: pb.Degraded | None = None
    interrupted: str | None = None  # what was heard of the reply before it was cut off
    outcome: "pb.TurnOutcome.ValueType" = pb.TURN_OUTCOME_COMPLETED
    breaks: CallError | None = None  # ends the conversation after the reply's text
    hangs: bool = False  # after the reply's text nothing more comes


@dataclass
class ScriptedAssistant(assistant_pb2_grpc.AssistantServiceServicer):
    """Plays one script for all conversations, and keeps what it is given."""

    script: Sequence[ScriptedTurn]
    leaves: bool = False  # ends each conversation, well, after its first turn
    configs: list[pb.ConverseConfig] = field(default_factory=list)
    audio: list[bytes] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    playback: list[tuple[str, int]] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    ended: int = 0  # conversations of which nothing is left
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
        try:
            config = (await anext(request_iterator)).config
            self.configs.append(config)
            session = pb.Session(session_id="s1", resume_token="secret", output_format=config.output_format)
            yield pb.ConverseResponse(session=session)
            yield _state(_LISTENING)
            ears = _Ears(config.input_format.sample_rate_hz)
            async for request in request_iterator:
                kind = request.WhichOneof("payload")
                if kind == "control" and request.control.HasField("end"):
                    self.commands.append("end")
                    return
                said = self._take(request, ears)
                if said is None:
                    continue
                async for response in self._turn(said, typed=kind == "text"):
                    yield response
                if self.leaves:
                    return
        finally:
            self.ended += 1

    async def GetCapabilities(  # noqa: N802  # gRPC's name
        self, request: pb.GetCapabilitiesRequest, context: grpc.aio.ServicerContext[object, object]
    ) -> pb.GetCapabilitiesResponse:
        return pb.GetCapabilitiesResponse()

    def _take(self, request: pb.ConverseRequest, ears: "_Ears") -> str | None:
        """What was said, once it was."""
        match request.WhichOneof("payload"):
            case "audio":
                self.audio.append(request.audio)
                return "" if ears.heard(request.audio) else None
            case "text":
                self.texts.append(request.text)
                return request.text
            case "playback":
                self.playback.append((request.playback.turn_id, request.playback.played_samples))
            case "control":
                self.commands.append(str(request.control.WhichOneof("command")))
        return None

    async def _turn(self, said: str, *, typed: bool) -> AsyncIterator[pb.ConverseResponse]:
        if self._turns >= len(self.script):
            raise LimitExceededError("the script is over")
        turn = self.script[self._turns]
        self._turns += 1
        turn_id = f"turn-{self._turns}"
        for response in _heard(turn, turn_id, said, typed=typed):
            yield response
        if turn.breaks is not None:
            raise turn.breaks
        if turn.hangs:
            await asyncio.Event().wait()
        for response in _spoken(turn, turn_id):
            yield response


class _Ears:
    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._was_loud = False
        self._silent_samples = 0

    def heard(self, audio: bytes) -> bool:
        """Whether somebody spoke and is done."""
        samples = decode_pcm(audio, "audio")
        if samples.size and np.abs(samples).max() > _LOUD:
            self._was_loud, self._silent_samples = True, 0
            return False
        self._silent_samples += samples.size
        if self._was_loud and self._silent_samples * 1000 >= _SILENCE_MS * self._rate_hz:
            self._was_loud = False
            return True
        return False


def _heard(turn: ScriptedTurn, turn_id: str, said: str, *, typed: bool) -> list[pb.ConverseResponse]:
    partials = [] if typed else turn.partials
    final = pb.UserTranscript(text=said if typed else turn.heard, is_final=True, stability=1, typed=typed)
    degraded = [pb.ConverseResponse(turn_id=turn_id, degraded=turn.degraded)] if turn.degraded else []
    return [
        *(pb.ConverseResponse(transcript=pb.UserTranscript(text=text, stability=0.5)) for text in partials),
        _state(pb.ASSISTANT_STATE_THINKING, turn_id),
        pb.ConverseResponse(turn_id=turn_id, transcript=final),
        *degraded,
        *(pb.ConverseResponse(turn_id=turn_id, reply_text=pb.ReplyText(text_delta=delta)) for delta in turn.reply),
    ]


def _spoken(turn: ScriptedTurn, turn_id: str) -> list[pb.ConverseResponse]:
    responses = [_state(pb.ASSISTANT_STATE_SPEAKING, turn_id)]
    first_sample = 0
    for sequence, audio in enumerate(turn.audio):
        chunk = pb.ReplyAudio(
            audio=audio, sequence=sequence, first_sample=first_sample, span=audio_pb2.TextSpan(start=0, end=1)
        )
        responses.append(pb.ConverseResponse(turn_id=turn_id, reply_audio=chunk))
        first_sample += len(audio) // 2
    if turn.interrupted is not None:
        responses.append(pb.ConverseResponse(turn_id=turn_id, interrupted=pb.Interrupted(heard_text=turn.interrupted)))
    finished = pb.TurnFinished(
        outcome=turn.outcome,
        timings=pb.TurnTimings(transcript_ms=120, first_token_ms=150, first_audio_ms=180, total_ms=900),
        backends=pb.TurnBackends(stt="scripted", llm="scripted", tts="scripted"),
    )
    return [*responses, pb.ConverseResponse(turn_id=turn_id, turn_finished=finished), _state(_LISTENING, "")]


_LISTENING = pb.ASSISTANT_STATE_LISTENING


def _state(state: "pb.AssistantState.ValueType", turn_id: str = "") -> pb.ConverseResponse:
    return pb.ConverseResponse(turn_id=turn_id, state=pb.StateChanged(state=state))
