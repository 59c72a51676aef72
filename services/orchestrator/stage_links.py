"""The connections to all replicas of one stage. Channels connect by themselves, also after a service was away."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Generic

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from services.common.addresses import parse_addresses
from services.common.channels import Connection
from services.common.exchange import exchange
from services.orchestrator.config import StageSettings
from services.orchestrator.ports import Stage
from services.orchestrator.replica import ClientT, Replica, ReplicaMetrics
from services.orchestrator.replicas import Replicas
from superwhisper.common.v1 import capabilities_pb2
from superwhisper.llm.v1 import llm_pb2, llm_pb2_grpc
from superwhisper.stt.v1 import stt_pb2, stt_pb2_grpc
from superwhisper.tts.v1 import tts_pb2, tts_pb2_grpc

_log = logging.getLogger(__name__)
_ASK_LIMIT_S = 1.0
_WATCH_AGAIN_S = 0.2
_CAPABILITIES: dict[Stage, tuple[Any, Any]] = {
    Stage.STT: (stt_pb2_grpc.SttServiceStub, stt_pb2.GetCapabilitiesRequest()),
    Stage.LLM: (llm_pb2_grpc.LlmServiceStub, llm_pb2.GetCapabilitiesRequest()),
    Stage.TTS: (tts_pb2_grpc.TtsServiceStub, tts_pb2.GetCapabilitiesRequest()),
}
Engines = list[capabilities_pb2.EngineInfo]


@dataclass(frozen=True)
class _Link(Generic[ClientT]):
    """A replica, and the channel to it."""

    connection: Connection
    channel: grpc.aio.Channel
    replica: Replica[ClientT]


class StageLinks(Generic[ClientT]):
    """One stage's."""

    def __init__(
        self,
        stage: Stage,
        settings: StageSettings,
        make_client: Callable[[Connection, grpc.aio.Channel], ClientT],
        metrics: ReplicaMetrics,
    ) -> None:
        self.has_served = asyncio.Event()  # any of them, once
        self._stage = stage
        self._links: list[_Link[ClientT]] = []
        for address in parse_addresses(settings.address):
            connection = Connection(address, settings.credentials)
            # Retrying is the business of replicas.py: with gRPC's own beneath it two tries would become four.
            channel = connection.open(retries=False)
            replica = Replica(stage, address, make_client(connection, channel), metrics)
            self._links.append(_Link(connection, channel, replica))
        self.replicas = Replicas(stage, [link.replica for link in self._links], settings.order)

    async def watch(self) -> None:
        """Keeps what is known of their health true, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for link in self._links:
                group.create_task(self._watch(link), name=f"health of {link.replica.name}")

    async def engines(self) -> Engines | None:
        """The engines of all that answer; None where nobody does."""
        answers = await asyncio.gather(*(self._ask(link) for link in self._links))
        given = [answer for answer in answers if answer is not None]
        return [engine for engines in given for engine in engines] if given else None

    async def close(self) -> None:
        """Closes the connections."""
        await asyncio.gather(*(link.channel.close() for link in self._links))

    async def _ask(self, link: _Link[ClientT]) -> Engines | None:
        make_stub, request = _CAPABILITIES[self._stage]
        options = link.connection.call_options(_ASK_LIMIT_S)
        try:
            answer = await make_stub(link.channel).GetCapabilities(request, **options)
        except grpc.aio.AioRpcError as error:
            _log.debug("%s does not tell its capabilities: %s", link.replica.name, error.code().name)
            return None
        return list(answer.engines)

    async def _watch(self, link: _Link[ClientT]) -> None:
        """Told of every change, not asked now and then: so no restart is missed, however short."""
        stub: Any = health_pb2_grpc.HealthStub(link.channel)  # its type stubs know only synchronous channels
        while True:
            call = stub.Watch(health_pb2.HealthCheckRequest(), wait_for_ready=True)
            try:
                async with aclosing(exchange(call)) as answers:
                    async for answer in answers:
                        self._tell_health(link.replica, answer.status == health_pb2.HealthCheckResponse.SERVING)
            except grpc.aio.AioRpcError as error:  # it died, froze, or is no service of ours
                _log.debug("%s does not tell its health: %s", link.replica.name, error.code().name)
                self._tell_health(link.replica, False)
            await asyncio.sleep(_WATCH_AGAIN_S)

    def _tell_health(self, replica: Replica[ClientT], serves: bool) -> None:
        replica.tell_health(serves=serves)
        if serves:
            self.has_served.set()
