"""The connections to the three services: opened once, watched until they serve, asked what they can do."""

import asyncio
import logging
from dataclasses import dataclass
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from services.common.channels import Connection
from services.orchestrator.clients import GrpcEars, GrpcMind, GrpcMouth
from services.orchestrator.config import OrchestratorSection
from services.orchestrator.ports import Stage, Stages
from superwhisper.common.v1 import capabilities_pb2
from superwhisper.llm.v1 import llm_pb2, llm_pb2_grpc
from superwhisper.stt.v1 import stt_pb2, stt_pb2_grpc
from superwhisper.tts.v1 import tts_pb2, tts_pb2_grpc

_log = logging.getLogger(__name__)
_ASK_LIMIT_S = 1.0
_ASK_EVERY_S = 0.2


@dataclass(frozen=True)
class _Peer:
    connection: Connection
    channel: grpc.aio.Channel


class Peers:
    """All three. Channels connect by themselves, also after a service was away."""

    def __init__(self, settings: OrchestratorSection) -> None:
        self._settings = settings
        self._peers: dict[Stage, _Peer] = {}
        for stage, peer in ((Stage.STT, settings.stt), (Stage.LLM, settings.llm), (Stage.TTS, settings.tts)):
            connection = Connection(peer.address, peer.credentials)
            self._peers[stage] = _Peer(connection, connection.open())

    def stages(self) -> Stages:
        """The services as the conversation uses them."""
        stt, llm, tts = (self._peers[stage] for stage in (Stage.STT, Stage.LLM, Stage.TTS))
        return Stages(
            GrpcEars(stt.connection, stt.channel, self._settings.max_session_s),
            GrpcMind(llm.connection, llm.channel, self._settings.turn_limit_s),
            GrpcMouth(tts.connection, tts.channel, self._settings.turn_limit_s),
        )

    async def wait_until_serving(self) -> None:
        """Returns when all three have served: the first turn finds a warm stack."""
        await asyncio.gather(*(self._wait_for(stage, peer) for stage, peer in self._peers.items()))

    async def engines(self) -> dict[Stage, list[capabilities_pb2.EngineInfo] | None]:
        """The engines of each stage; None where it does not answer."""
        asked = {
            Stage.STT: (stt_pb2_grpc.SttServiceStub, stt_pb2.GetCapabilitiesRequest()),
            Stage.LLM: (llm_pb2_grpc.LlmServiceStub, llm_pb2.GetCapabilitiesRequest()),
            Stage.TTS: (tts_pb2_grpc.TtsServiceStub, tts_pb2.GetCapabilitiesRequest()),
        }
        answers = await asyncio.gather(*(self._ask(self._peers[stage], *what) for stage, what in asked.items()))
        return dict(zip(asked, answers, strict=True))

    async def close(self) -> None:
        """Closes the connections."""
        await asyncio.gather(*(peer.channel.close() for peer in self._peers.values()))

    async def _ask(self, peer: _Peer, stub: Any, request: Any) -> list[capabilities_pb2.EngineInfo] | None:
        try:
            answer = await stub(peer.channel).GetCapabilities(request, **peer.connection.call_options(_ASK_LIMIT_S))
        except grpc.aio.AioRpcError as error:
            _log.debug("%s does not tell its capabilities: %s", peer.connection.address, error.code().name)
            return None
        return list(answer.engines)

    async def _wait_for(self, stage: Stage, peer: _Peer) -> None:
        stub: Any = health_pb2_grpc.HealthStub(peer.channel)  # its type stubs know only synchronous channels
        while True:
            try:
                answer = await stub.Check(health_pb2.HealthCheckRequest(), **peer.connection.call_options(_ASK_LIMIT_S))
            except grpc.aio.AioRpcError as error:
                _log.debug("%s is not there yet: %s", stage.value, error.code().name)
            else:
                if answer.status == health_pb2.HealthCheckResponse.SERVING:
                    _log.info("%s at %s serves", stage.value, peer.connection.address)
                    return
            await asyncio.sleep(_ASK_EVERY_S)
