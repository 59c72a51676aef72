"""The life of a service process: NOT_SERVING → load and warm up → SERVING → SIGTERM → drain → exit 0.

A thread of an engine that does not come back has the same effect as SIGTERM, but the process ends with EXIT_STUCK: who
supervises it starts another one.
"""

import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import grpc
from google.protobuf.descriptor import ServiceDescriptor
from grpc_health.v1 import health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from grpc_reflection.v1alpha._async import ReflectionServicer
from grpc_reflection.v1alpha.reflection_pb2_grpc import add_ServerReflectionServicer_to_server
from prometheus_client import CollectorRegistry

from services.common import exits, guards, health, logs
from services.common.channels import SERVER_OPTIONS
from services.common.errors import PortInUseError, StartupError, StuckError
from services.common.health import Health
from services.common.interceptor import Guard, GuardInterceptor
from services.common.metrics import CallMetrics, exposed
from services.common.settings import ServerSettings, SettingsT, load
from services.common.tracing import Tracer, exported

_log = logging.getLogger(__name__)
_HEALTH_EVERY_S = 0.25
_CLEAN_UP_S = 5.0  # what a handler that was cut off may take for its clean-up
_CLOSE_LIMIT_S = 10.0  # what all engines together may take to be given back
EXIT_STUCK = 70  # EX_SOFTWARE in sysexits.h


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
    stuck: Callable[[], str | None] = lambda: None  # why only a new process can go on, if so
    tracer: Tracer = field(default_factory=Tracer)  # for what the service traces besides its calls


@dataclass
class _End:
    """That it ends, and why if nobody told it to."""

    told: asyncio.Event
    stuck: str | None = None


async def serve(service: Service, settings: ServerSettings, *, stop: asyncio.Event | None = None) -> None:
    """Serves until SIGTERM or SIGINT (or until `stop` is set), then drains. StuckError where threads stay behind."""
    end = _End(stop or _stop_on_signals())
    status = Health(service.descriptor.full_name)
    interceptor = GuardInterceptor(_guards(service, settings), settings.unread_limit_s)
    server = _build_server(service, interceptor, status)
    _bind(server, settings)
    with exposed(service.registry, settings.metrics_host, settings.metrics_port):
        await server.start()
        _log.info("listening on %s", settings.address)
        async with _background(service, status, end):
            await end.told.wait()
            _log.info("draining for at most %g s", settings.drain_s)
        service.draining.set()
        status.end()
        await server.stop(settings.drain_s)
        await interceptor.wait_for_clean_up(_CLEAN_UP_S)
        await _close(service)
    if why := end.stuck or service.stuck():
        raise StuckError(why)
    _log.info("stopped")


async def _close(service: Service) -> None:
    try:
        async with asyncio.timeout(_CLOSE_LIMIT_S):
            await service.close()
    except TimeoutError:
        _log.warning("the engines cannot be given back within %g s", _CLOSE_LIMIT_S)


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
        _log.info("profile %s: %s", settings.profile, settings.profile_reason)
        asyncio.run(_build_and_serve(name, build, settings, server_of(settings)))
    except StartupError as error:
        sys.stderr.write(f"superwhisper {name}: {error}\n")
        sys.exit(1)
    exits.leave_threads_behind()


async def _build_and_serve(
    name: str, build: Callable[[SettingsT], Service], settings: SettingsT, server: ServerSettings
) -> None:
    try:
        service = build(settings)
        with exported(service.tracer, settings.tracing, name, service.registry):
            await serve(service, server)
    except StuckError as error:
        _log.critical("%s; this process ends, so that another takes over", error)
        exits.end_now(EXIT_STUCK)


def _stop_on_signals() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


def _guards(service: Service, settings: ServerSettings) -> tuple[Guard, ...]:
    name = service.descriptor.full_name
    seconds = {f"/{name}/{method}": limit.seconds for method, limit in service.limits.items()}
    seconds[f"/{health.NAME}/Watch"] = float("inf")  # a watcher may watch as long as it likes
    concurrent = {
        f"/{name}/{method}": limit.concurrent
        for method, limit in service.limits.items()
        if limit.concurrent is not None
    }
    return (
        guards.call_context(seconds, settings.default_deadline_s, service.tracer),
        guards.observe(CallMetrics.create(service.registry), service.tracer),
        guards.report_errors(),
        guards.require_token(settings.security.token()),
        guards.admit(concurrent),
        guards.bound_time(),
    )


def _build_server(service: Service, interceptor: GuardInterceptor, status: Health) -> grpc.aio.Server:
    server = grpc.aio.server(interceptors=[interceptor], options=SERVER_OPTIONS)
    service.register(server)
    health_pb2_grpc.add_HealthServicer_to_server(status, server)
    names = (service.descriptor.full_name, health.NAME, reflection.SERVICE_NAME)
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
async def _background(service: Service, status: Health, end: _End) -> AsyncIterator[None]:
    """Loads the engines and keeps the health true, as long as the body runs."""
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(_load_then_keep_up(service), name="engines"),
            group.create_task(_follow_health(service, status, end), name="health"),
        ]
        yield
        for task in tasks:
            task.cancel()


async def _load_then_keep_up(service: Service) -> None:
    await service.start()
    await service.keep_up()


async def _follow_health(service: Service, status: Health, end: _End) -> None:
    told: bool | None = None
    while end.stuck is None:
        serving = service.ready()
        if serving is not told:
            told = serving
            status.tell(serving=serving)
            _log.info("%s is %s", service.descriptor.full_name, "SERVING" if serving else "NOT_SERVING")
        await asyncio.sleep(_HEALTH_EVERY_S)
        end.stuck = service.stuck()
    _log.error("%s", end.stuck)
    end.told.set()
