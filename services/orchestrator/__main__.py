"""Composition root of the orchestrator: settings → connections → sessions → servicer → serve."""

import asyncio

import grpc
from prometheus_client import CollectorRegistry

from services.common.cache import CacheCounts
from services.common.lifecycle import MethodLimits, Service, run_service
from services.common.redis_cache import RedisCache, RedisShelf
from services.common.tracing import Tracer
from services.orchestrator.config import OrchestratorSection, OrchestratorSettings
from services.orchestrator.history_store import HistoryStore
from services.orchestrator.metrics import PipelineMetrics
from services.orchestrator.peers import Peers
from services.orchestrator.resources import Resources
from services.orchestrator.servicer import AssistantServicer
from services.orchestrator.sessions import Sessions
from superwhisper.assistant.v1 import assistant_pb2, assistant_pb2_grpc

# Streams that have not sent their configuration, are refused, or whose session went on over another one meanwhile.
_MORE_STREAMS = 16


def build(settings: OrchestratorSettings) -> Service:
    """The service, wired up. Call it inside of a running event loop: channels belong to one."""
    section = settings.orchestrator
    registry = CollectorRegistry()
    draining, has_started, tracer = asyncio.Event(), asyncio.Event(), Tracer()
    peers = Peers(section, registry)
    resources = Resources(peers.stages(), section, PipelineMetrics.create(registry), draining, tracer)
    sessions = Sessions(resources, _store(section, registry))
    servicer = AssistantServicer(sessions, peers, section)

    def register(server: grpc.aio.Server) -> None:
        assistant_pb2_grpc.add_AssistantServiceServicer_to_server(servicer, server)

    async def start() -> None:
        await peers.wait_until_serving()
        has_started.set()

    async def close() -> None:
        await sessions.close()
        await peers.close()

    return Service(
        descriptor=assistant_pb2.DESCRIPTOR.services_by_name["AssistantService"],
        register=register,
        limits={"Converse": MethodLimits(section.max_session_s, section.max_sessions + _MORE_STREAMS)},
        start=start,
        ready=has_started.is_set,  # a stage that fails later degrades turns, it does not end the service
        keep_up=peers.keep_up,
        close=close,
        registry=registry,
        draining=draining,
        tracer=tracer,
    )


def _store(section: OrchestratorSection, registry: CollectorRegistry) -> HistoryStore | None:
    """Where histories are kept besides here."""
    session = section.session
    if not (url := session.redis_url.get_secret_value()):
        return None
    # A replica that ends without a word cannot say how long its sessions are to be kept.
    shelf = RedisShelf(url, "superwhisper:orchestrator:", ttl_s=session.resume_s + section.idle_limit_s)
    return HistoryStore(RedisCache(shelf, CacheCounts.create(registry, "orchestrator")))


if __name__ == "__main__":
    run_service("orchestrator", OrchestratorSettings, build, lambda settings: settings.orchestrator.server)
