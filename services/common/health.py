"""grpc.health.v1 for the one service of a process.

grpc's own servicer says SERVING before anything was loaded, and a watcher of it holds up every shutdown for the whole
drain time; here watchers are told NOT_SERVING and let go.
"""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from services.common.errors import NotFoundError

NAME = health_pb2.DESCRIPTOR.services_by_name["Health"].full_name
_Context = grpc.aio.ServicerContext[Any, Any]
_Response = health_pb2.HealthCheckResponse


class Health(health_pb2_grpc.HealthServicer):
    """NOT_SERVING until told otherwise. The whole server ("") and its service are the same here."""

    def __init__(self, service: str) -> None:
        self._names = ("", service)
        self._status: int = _Response.NOT_SERVING
        self._is_over = False
        self._changed = asyncio.Event()  # replaced with every change

    def tell(self, *, serving: bool) -> None:
        """Says from now on whether the service does its work."""
        if not self._is_over:
            self._change(_Response.SERVING if serving else _Response.NOT_SERVING)

    def end(self) -> None:
        """NOT_SERVING for good."""
        self._is_over = True
        self._change(_Response.NOT_SERVING)

    def _change(self, status: int) -> None:
        self._status = status
        self._changed.set()
        self._changed = asyncio.Event()

    async def Check(  # noqa: N802  # gRPC's method names
        self, request: health_pb2.HealthCheckRequest, context: _Context
    ) -> health_pb2.HealthCheckResponse:
        """The status now."""
        if request.service not in self._names:
            raise NotFoundError(f"there is no service {request.service[:80]!r} here")
        return _Response(status=self._status)

    async def List(self, request: Any, context: _Context) -> Any:  # noqa: N802
        """The status of every name."""
        statuses = {name: _Response(status=self._status) for name in self._names}
        return health_pb2.HealthListResponse(statuses=statuses)  # type: ignore[attr-defined]  # newer than its stubs

    async def Watch(  # noqa: N802
        self, request: health_pb2.HealthCheckRequest, context: _Context
    ) -> AsyncGenerator[health_pb2.HealthCheckResponse, None]:
        """The status now and whenever it changes."""
        told: int | None = None
        while True:
            changed, is_over = self._changed, self._is_over
            status = self._status if request.service in self._names else _Response.SERVICE_UNKNOWN
            if status != told:
                told = status
                yield _Response(status=status)
            if is_over:
                return
            await changed.wait()
