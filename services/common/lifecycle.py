"""The life of a service process: NOT_SERVING → load and warm up → SERVING → SIGTERM → drain → exit 0."""

import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf.descriptor import ServiceDescriptor
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1._async import HealthServicer
from grpc_reflection.v1alpha import reflection
from grpc_reflection.v1alpha._async import ReflectionServicer
from grpc_reflection.v1alpha.reflection_pb2_grpc import add_ServerReflectionServicer_to_server
from prometheus_client import CollectorRegistry

from services.common import guards, logs
from services.common.channels import SERVER_OPTIONS
from services.common.errors import PortInUseError, StartupError
from services.common.interceptor import GuardInterceptor
from services.common.metrics import CallMetrics, exposed
from services.common.settings import ServerSettings, SettingsT, load

_log = logging.getLogger(__name__)
_HEALTH_EVERY_S = 0.25


@dataclass(frozen=True)
class MethodLimits:
    """What one method of a service is allowed."""

    seconds: float
    concurrent: int | None = None


@dataclass(frozen=True)
class Service:
    """A gRPC service as its composition root hands it over."""

    descriptor: ServiceDescriptor
    register: Callable[[grpc.aio.Server], None]
    limits: Mapping[str, MethodLimits]  # by method name, such as "Generate"
    start: Callable[[], Awaitable[None]]  # loads and warms up
    ready: Callable[[], bool]  # whether it can do its work now
    keep_up: Callable[[], Awaitable[None]]  # runs as long as the process: climbs back, watches
    close: Callable[[], Awaitable[None]]
    registry: CollectorRegistry
    draining: asyncio.Event = field(default_factory=asyncio.Event)  # set by SIGTERM: finish, begin nothing new


async def serve(service: Service, settings: ServerSettings, *, stop: asyncio.Event | None = None) -> None:
    """Serves until SIGTERM or SIGINT (or until `stop` is set), then drains."""
    stop = stop or _stop_on_signals()
    health = HealthServicer()
    server = _build_server(service, settings, health)
    _bind(server, settings)
    with exposed(service.registry, settings.host, settings.metrics_port):
        await server.start()
        _log.info("listening on %s", settings.address)
        async with _background(service, health):
            await stop.wait()
            _log.info("draining for at most %g s", settings.drain_s)
        service.draining.set()
        await health.enter_graceful_shutdown()
        await server.stop(settings.drain_s)
        await service.close()
    _log.info("stopped")


def run_service(
    name: str,
    settings_class: type[SettingsT],
    build: Callable[[SettingsT], Service],
    server_of: Callable[[SettingsT], ServerSettings],
) -> None:
    """The whole life of a service's process: 0 after a drain, 1 with a sentence when it could not start."""
    try:
        settings = load(settings_class, sys.argv[1:], program=f"python -m services.{name}")
        logs.configure(name, settings.log)
        _log.info("profile %s", settings.profile)
        asyncio.run(serve(build(settings), server_of(settings)))
    except StartupError as error:
        sys.stderr.write(f"superwhisper {name}: {error}\n")
        sys.exit(1)


def _stop_on_signals() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


def _build_server(service: Service, settings: ServerSettings, health: HealthServicer) -> grpc.aio.Server:
    name = service.descriptor.full_name
    seconds = {f"/{name}/{method}": limit.seconds for method, limit in service.limits.items()}
    concurrent = {
        f"/{name}/{method}": limit.concurrent
        for method, limit in service.limits.items()
        if limit.concurrent is not None
    }
    row = (
        guards.call_context(seconds, settings.default_deadline_s),
        guards.report_errors(),
        guards.require_token(settings.security.token()),
        guards.count(CallMetrics.create(service.registry)),
        guards.admit(concurrent),
        guards.bound_time(),
    )
    server = grpc.aio.server(interceptors=[GuardInterceptor(row)], options=SERVER_OPTIONS)
    service.register(server)
    health_pb2_grpc.add_HealthServicer_to_server(health, server)
    names = (name, health_pb2.DESCRIPTOR.services_by_name["Health"].full_name, reflection.SERVICE_NAME)
    add_ServerReflectionServicer_to_server(ReflectionServicer(names), server)  # type: ignore[no-untyped-call]
    return server


def _bind(server: grpc.aio.Server, settings: ServerSettings) -> None:
    settings.security.check_address(settings.host)
    address = settings.address
    credentials = settings.security.server_credentials()
    try:
        if credentials is None:
            server.add_insecure_port(address)
        else:
            server.add_secure_port(address, credentials)
    except RuntimeError as error:
        raise PortInUseError(
            f"{address} cannot be used: another program listens there, or the address is not this machine's; "
            "stop that program or set another port"
        ) from error


@contextlib.asynccontextmanager
async def _background(service: Service, health: HealthServicer) -> AsyncIterator[None]:
    """Loads the engines and keeps the health true, as long as the body runs."""
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(_load_then_keep_up(service), name="engines"),
            group.create_task(_follow_health(service, health), name="health"),
        ]
        yield
        for task in tasks:
            task.cancel()


async def _load_then_keep_up(service: Service) -> None:
    await service.start()
    await service.keep_up()


async def _follow_health(service: Service, health: HealthServicer) -> None:
    """Tells the health of the service and of the whole server (""), which are the same here."""
    told: Any = None
    while True:
        serving = service.ready()
        if serving is not told:
            told = serving
            status = health_pb2.HealthCheckResponse.SERVING if serving else health_pb2.HealthCheckResponse.NOT_SERVING
            for name in ("", service.descriptor.full_name):
                await health.set(name, status)
            _log.info("%s is %s", service.descriptor.full_name, "SERVING" if serving else "NOT_SERVING")
        await asyncio.sleep(_HEALTH_EVERY_S)
