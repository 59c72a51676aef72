"""Wire ⇄ domain for the orchestrator."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

import grpc

from services.common.audio import check_rate
from services.common.errors import InvalidInputError
from services.common.streams import AudioLimits, AudioMeter, Messages
from services.common.text import check_language, check_length, clean
from services.orchestrator import wire
from services.orchestrator.config import OrchestratorSection
from services.orchestrator.inputs import ClientInput, End, Interrupt, MicrophoneAudio, Played, SetMuted, TypedText
from services.orchestrator.peers import Peers
from services.orchestrator.reply_maker import ConversationOptions
from services.orchestrator.sessions import Sessions
from superwhisper.assistant.v1 import assistant_pb2, assistant_pb2_grpc
from superwhisper.common.v1 import capabilities_pb2

_Context = grpc.aio.ServicerContext[object, object]


class AssistantServicer(assistant_pb2_grpc.AssistantServiceServicer):
    """Translates; a Conversation converses."""

    def __init__(self, sessions: Sessions, peers: Peers, settings: OrchestratorSection) -> None:
        self._sessions = sessions
        self._peers = peers
        self._settings = settings
        self._limits = AudioLimits(duration_s=settings.max_session_s)

    async def Converse(
        self, request_iterator: AsyncIterator[assistant_pb2.ConverseRequest], context: _Context
    ) -> AsyncGenerator[assistant_pb2.ConverseResponse, None]:
        """See the proto."""
        messages = Messages(request_iterator, self._settings.idle_limit_s)
        config = (await messages.first()).config
        options = self._options(config)
        inputs = self._inputs(messages, options.input_rate_hz)
        async with (
            self._sessions.connected(options, config.resume_token) as (conversation, opened),
            aclosing(conversation.events(inputs, opened)) as events,
        ):
            async for event in events:
                yield wire.from_event(event)

    async def GetCapabilities(
        self, request: assistant_pb2.GetCapabilitiesRequest, context: _Context
    ) -> assistant_pb2.GetCapabilitiesResponse:
        """See the proto."""
        limits = capabilities_pb2.Limits(
            max_audio_message_bytes=self._limits.message_bytes,
            max_stream_ms=int(self._settings.max_session_s * 1000),
            idle_timeout_ms=int(self._settings.idle_limit_s * 1000),
            max_audio_pace=self._limits.pace,
            max_concurrent_streams=self._settings.max_sessions,
            max_text_characters=self._settings.max_text_characters,
        )
        stages = [
            assistant_pb2.StageStatus(stage=wire.STAGES[stage], serving=engines is not None, engines=engines or [])
            for stage, engines in (await self._peers.engines()).items()
        ]
        return assistant_pb2.GetCapabilitiesResponse(limits=limits, stages=stages)

    def _options(self, config: assistant_pb2.ConverseConfig) -> ConversationOptions:
        prompt = clean(check_length(config.system_prompt, self._settings.max_text_characters, "config.system_prompt"))
        return ConversationOptions(
            input_rate_hz=_rate(config, "input_format"),
            output_rate_hz=_rate(config, "output_format"),
            language_code=check_language(config.language_code, "config.language_code"),
            voice=config.voice,
            system_prompt=prompt.strip(),
            interim_results=config.interim_results,
        )

    async def _inputs(
        self, messages: Messages[assistant_pb2.ConverseRequest], rate_hz: int | None
    ) -> AsyncIterator[ClientInput]:
        meter = AudioMeter(rate_hz, self._limits) if rate_hz else None
        async for message in messages:
            kind = message.WhichOneof("payload")
            if kind == "audio":
                if meter is None:
                    raise InvalidInputError("audio", "config.input_format did not announce any audio")
                meter.accept(message.audio)
                yield MicrophoneAudio(message.audio)
            elif kind == "text":
                text = clean(check_length(message.text, self._settings.max_text_characters, "text"))
                if not text.strip():
                    raise InvalidInputError("text", "it is empty")
                yield TypedText(text)
            elif kind == "playback":
                yield Played(message.playback.turn_id, message.playback.played_samples)
            else:
                yield _command(message.control)


def _command(control: assistant_pb2.Control) -> ClientInput:
    match control.WhichOneof("command"):
        case "interrupt":
            return Interrupt()
        case "mute":
            return SetMuted(control.mute.muted)
        case "end":
            return End()
    raise InvalidInputError("control.command", "the control message is empty")


def _rate(config: assistant_pb2.ConverseConfig, field: str) -> int | None:
    if not config.HasField(field):  # type: ignore[arg-type]
        return None
    return check_rate(getattr(config, field).sample_rate_hz, f"config.{field}.sample_rate_hz")
