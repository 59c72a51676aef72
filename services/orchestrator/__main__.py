"""Composition root of the orchestrator: settings → connections → servicer → serve."""

import asyncio

import grpc
from prometheus_client import CollectorRegistry

from services.common.lifecycle import MethodLimits, Service, run_service
from services.orchestrator.config import OrchestratorSettings
from services.orchestrator.metrics import PipelineMetrics
from services.orchestrator.peers import Peers
from services.orchestrator.servicer import AssistantServicer
from superwhisper.assistant.v1 import assistant_pb2, assistant_pb2_grpc


def build(settings: OrchestratorSettings) -> Service:
    """The service, wired up. Call it inside of a running event loop: channels belong to one."""
    section = settings.orchestrator
    registry = CollectorRegistry()
    draining = asyncio.Event()
    has_started = asyncio.Event()
    peers = Peers(section)
    servicer = AssistantServicer(peers.stages(), peers, PipelineMetrics.create(registry), section, draining)

    def register(server: grpc.aio.Server) -> None:
        assistant_pb2_grpc.add_AssistantServiceServicer_to_server(servicer, server)

    async def start() -> None:
        await peers.wait_until_serving()
        has_started.set()

    async def keep_up() -> None:
        """Nothing: a stage that fails later degrades turns, it does not end the service."""

    return Service(
        descriptor=assistant_pb2.DESCRIPTOR.services_by_name["AssistantService"],
        register=register,
        limits={"Converse": MethodLimits(section.max_session_s, section.max_sessions)},
        start=start,
        ready=has_started.is_set,
        keep_up=keep_up,
        close=peers.close,
        registry=registry,
        draining=draining,
    )


if __name__ == "__main__":
    run_service("orchestrator", OrchestratorSettings, build, lambda settings: settings.orchestrator.server)
